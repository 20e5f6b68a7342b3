#!/usr/bin/env bash
# aws-cdk-lib 2.275.0 (PyPI): Validations and Annotations, in a stack that names no Region.
#
# Expected: a warning whose id holds the stack's Region can be acknowledged by that id, as in a stack
#   with a Region; or the call that acknowledges it is refused.
# Seen: warning and acknowledgment are accepted, and then the synthesis ends with
#   KeyMustResolveToString. The message names no construct and no acknowledgment, and its advice is
#   CfnJson. Annotations.acknowledge_warning, the older call, and the same call on the app have no fault.
# Why it matters: ids of findings hold ARNs, and these the Region. An app that takes the Region out of its
#   stacks, to synthesize once for all Regions, ends with an error about the key of a map that its code
#   does not have.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  aws-cdk-lib==2.275.0 constructs==10.8.1 jsii==1.142.0 2>/dev/null
cat >"$folder/app.py" <<'P'
import sys

from aws_cdk import Acknowledgment, Annotations, App, Environment, Stack, Validations
from aws_cdk.aws_s3 import Bucket


def outcome(acknowledge, *, region=None):
    """Return what the synthesis says of a warning that was acknowledged."""
    app = App()
    stack = Stack(app, "Stack", env=Environment(region=region))
    bucket = Bucket(stack, "Bucket")
    rule = f"Name[{stack.region}]"
    Annotations.of(bucket).add_warning_v2(rule, "a warning")
    acknowledge(bucket, rule)
    try:
        messages = app.synth().get_stack_by_name("Stack").messages
    except RuntimeError as error:
        return str(error)
    return "no warning" if not messages else messages[0].entry.data


def old(bucket, rule):
    Annotations.of(bucket).acknowledge_warning(rule, "known")


def new(scope, rule):
    Validations.of(scope).acknowledge(Acknowledgment(id=rule, reason="known"))


outcomes = {
    "not acknowledged, no Region": outcome(lambda *_: None),
    "Validations, eu-west-1": outcome(new, region="eu-west-1"),
    "Validations, no Region": outcome(new),
    "Validations of the app, no Region": outcome(lambda bucket, rule: new(bucket.node.root, rule)),
    "Annotations, no Region": outcome(old),
}
for name, said in outcomes.items():
    print(f"{name}: {said}")
warned, with_region, without, of_app, older = outcomes.values()
if not warned.startswith("a warning") or {with_region, of_app, older} != {"no warning"}:
    sys.exit(1)
sys.exit("KeyMustResolveToString" not in without or "Stack/Bucket" in without)
P
cd "$folder"
# CDK_VALIDATION: the validation of templates changes nothing here, and takes half of the time.
# What jsii unpacks stays in the folder; its words on the version of Node.js are not of interest.
CDK_VALIDATION=false JSII_RUNTIME_PACKAGE_CACHE_ROOT=$folder/jsii venv/bin/python app.py 2>errors || {
  cat errors >&2
  exit 1
}
