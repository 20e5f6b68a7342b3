// Compares templates as `cdk diff` does. Standard input: [[old, new], …]; standard output: one
// answer for each, in the form that template_diff.py reads, or null where it cannot be compared.

import { readFileSync, writeSync } from "node:fs";
import { fullDiff } from "@aws-cdk/cloudformation-diff";

function compared([before, after]) {
  try {
    const diff = fullDiff(before, after);
    return {
      resources: resources(diff),
      statements: both(diff.iamChanges.statements, statement),
      managedPolicies: both(diff.iamChanges.managedPolicies, (one) => ({
        identity: text(one.identityArn),
        policy: text(one.managedPolicyArn),
      })),
      identityCenter: ["ssoPermissionSets", "ssoAssignments", "ssoInstanceACAConfigs"].some(
        (each) => diff.iamChanges[each].hasChanges,
      ),
      inboundRules: both(diff.securityGroupChanges.ingress, rule),
      outboundRules: both(diff.securityGroupChanges.egress, rule),
    };
  } catch {
    return null;
  }
}

function resources(diff) {
  const found = {};
  for (const [id, change] of Object.entries(diff.resources.changes)) {
    const updates = Object.entries(change.propertyUpdates);
    found[id] = {
      impact: change.changeImpact,
      properties: Object.fromEntries(updates.map(([name, { changeImpact }]) => [name, changeImpact])),
    };
  }
  return found;
}

function both(collection, read) {
  return [
    ...collection.additions.map((one) => ({ added: true, ...read(one) })),
    ...collection.removals.map((one) => ({ added: false, ...read(one) })),
  ];
}

function statement(one) {
  return {
    effect: one.effect,
    principals: targets(one.principals),
    actions: targets(one.actions),
    // What is an intrinsic function as a whole has its text there.
    resources: one.effect === "Unknown" ? [one.render().resource] : targets(one.resources),
    condition: one.condition === undefined ? "" : JSON.stringify(one.condition),
  };
}

function targets({ not, values }) {
  return values.map((value) => (not ? `all but ${value}` : value));
}

function rule(one) {
  return { group: text(one.groupId), protocol: one.describeProtocol(), peer: text(one.describePeer()) };
}

function text(value) {
  return typeof value === "string" ? value : JSON.stringify(value);
}

const answer = Buffer.from(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(compared)));
// A pipe may take less than all of it at once.
for (let sent = 0; sent < answer.length; ) sent += writeSync(1, answer, sent);
