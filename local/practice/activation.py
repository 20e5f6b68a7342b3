"""The file to source in a shell: commands of that shell then go to the emulated account alone.

It is for bash, zsh and every POSIX shell. Variables that it changes get their values back from
``leave_cloud``.
"""

import shlex
from collections.abc import Mapping
from pathlib import Path

_TEMPLATE = r"""# Source this file: source .local/cloud/activate
if command -v leave_cloud > /dev/null; then leave_cloud; fi

# Write what gives the variables their present values back.
_cloud_saved() {
  for _cloud_name in "$@"; do
    if eval "test \"\${$_cloud_name+set}\""; then
      printf "export %s='" "$_cloud_name"
      eval "printf %s \"\$$_cloud_name\"" | sed "s/'/'\\\\''/g"
      printf "'\n"
    else
      printf 'unset %s\n' "$_cloud_name"
    fi
  done
}

# Nothing of your own AWS stays: no profile, no role, no other endpoint.
_cloud_theirs=$(env | sed -n 's/^\(AWS_[A-Za-z0-9_]*\)=.*/\1/p')
# (Lines, in every shell: zsh does not split the value of a variable.)
_cloud_before=$(
  echo "$_cloud_theirs" | while read -r _cloud_name; do
    if test "$_cloud_name"; then _cloud_saved "$_cloud_name"; fi
  done
  _cloud_saved @NAMES@ PATH VIRTUAL_ENV NO_PROXY no_proxy
)
_cloud_folder=$PWD
_cloud_prompt=${PS1-}
eval "$(echo "$_cloud_theirs" | sed -n 's/^AWS_/unset &/p')"

@EXPORTS@
export VIRTUAL_ENV=@VIRTUAL_ENV@
export PATH=@BIN@:"$PATH"
export NO_PROXY="localhost,127.0.0.1${NO_PROXY:+,$NO_PROXY}"
export no_proxy="localhost,127.0.0.1${no_proxy:+,$no_proxy}"
PS1="(cloud) ${PS1-}"
cd @CHECKOUT@ || return

leave_cloud() {
  # A variable that was exported meanwhile goes, too.
  eval "$(env | sed -n 's/^\(AWS_[A-Za-z0-9_]*\)=.*/unset \1/p')"
  eval "$_cloud_before"
  PS1=$_cloud_prompt
  cd "$_cloud_folder" || return
  unset _cloud_before _cloud_theirs _cloud_folder _cloud_prompt _cloud_name
  unset -f leave_cloud _cloud_saved
}
"""


def write_activation(
    path: Path, variables: Mapping[str, str], *, checkout: Path, virtual_environment: Path
) -> None:
    """Write the file: it sets ``variables`` and changes into the checkout.

    It has credentials, though of nothing real: others cannot read it.
    """
    exports = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    text = (
        _TEMPLATE.replace("@NAMES@", " ".join(variables))
        .replace("@EXPORTS@", "\n".join(exports))
        .replace("@VIRTUAL_ENV@", shlex.quote(str(virtual_environment)))
        .replace("@BIN@", shlex.quote(str(virtual_environment / "bin")))
        .replace("@CHECKOUT@", shlex.quote(str(checkout)))
    )
    path.write_text(text, encoding="utf-8")
