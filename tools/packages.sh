#!/usr/bin/env bash
# Make sure that programs are there. Arguments: PROGRAM=PACKAGE, as Debian and Ubuntu name them;
# "fonts" stands for the fonts of Japanese, and "namespaces" for user namespaces of any program.
# Root, and a user whose sudo asks for no password, get what is missing; others are told what it is.
set -euo pipefail

# Some programs are for root's PATH, and Debian keeps that from others.
export PATH="$PATH:/usr/sbin:/sbin"
release=${OS_RELEASE:-/etc/os-release}
restriction=${RESTRICTION:-/proc/sys/kernel/apparmor_restrict_unprivileged_userns}

is_there() {
  case $1 in
    chromium) command -v chromium || command -v chromium-browser || command -v google-chrome ;;
    fonts) command -v fc-list && test -n "$(fc-list :lang=ja)" ;;
    *) command -v "$1" ;;
  esac > /dev/null
}

as_root() {
  if test "$(id -u)" = 0; then "$@"; else sudo --non-interactive "$@"; fi
}

if test "$(uname -s)" != Linux; then
  missing=
  for argument in "$@"; do
    if test "$argument" != namespaces && ! is_there "${argument%=*}"; then
      missing="$missing ${argument%=*}"
    fi
  done
  if test -z "$missing"; then exit; fi
  echo "error: programs of Linux are missing:$missing" >&2
  echo "hint: \`release build\` and \`release boot\` need none of them where Docker runs; for the rest, use Linux: a virtual machine, or WSL 2" >&2
  exit 1
fi

programs=() packages=() restricted=
for argument in "$@"; do
  if test "$argument" = namespaces; then
    # Ubuntu lets only programs that it knows make them. Root may anyway.
    if test "$(id -u)" != 0 && test "$(cat "$restriction" 2> /dev/null)" = 1; then restricted=1; fi
  elif ! is_there "${argument%=*}"; then
    package=${argument#*=}
    # Debian alone has the browser without windows; elsewhere the tests take the whole one.
    if test "$package" = chromium-headless-shell &&
      ! grep --quiet '^ID=debian$' "$release" 2> /dev/null; then continue; fi
    # Ubuntu has the browser under another name.
    if test "$package" = chromium && grep --quiet '^ID=ubuntu$' "$release" 2> /dev/null; then
      package=chromium-browser
    fi
    programs+=("${argument%=*}") packages+=("$package")
  fi
done
if test -z "${packages[*]}$restricted"; then exit; fi

if test "${packages[*]}" && ! command -v apt-get > /dev/null; then
  echo "error: programs are missing: ${programs[*]}" >&2
  exit 1
fi
if ! as_root true 2> /dev/null; then
  if test "${packages[*]}"; then
    echo "error: Debian packages are missing: sudo apt-get install --no-install-recommends ${packages[*]}" >&2
  fi
  if test "$restricted"; then
    echo "error: the kernel lets no program make user namespaces: sudo make userns" >&2
  fi
  exit 1
fi
if test "${packages[*]}"; then
  echo "Installing the Debian packages ${packages[*]} ..."
  as_root apt-get update --quiet --quiet
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install --quiet --quiet --yes --no-install-recommends "${packages[@]}"
fi
if test "$restricted"; then
  echo "Letting every program make user namespaces, until the next boot ..."
  as_root sysctl --quiet --write kernel.apparmor_restrict_unprivileged_userns=0
fi
