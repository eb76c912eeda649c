#!/bin/sh
# Installs @NAME@ on a Linux for which there is no deb and no rpm; as root:
#
#	./install.sh             install or upgrade, and say how to go on
#	./install.sh --remove    remove the program and the service, and keep the data
#	./install.sh --purge     the same, and delete the data in /var/lib/@NAME@
set -eu
cd "$(dirname "$0")"
if [ "$(id -u)" != 0 ]; then
	echo "$0: this needs root: sudo $0 $*" >&2
	exit 1
fi

files=$(find usr -type f)

case "${1:-}" in
"")
	there=1
	[ ! -e /usr/bin/@NAME@ ] || there=2
	for file in $files; do
		mkdir -p "/${file%/*}"
		cp -p "$file" "/$file.new"
		chown 0:0 "/$file.new"
		mv "/$file.new" "/$file" # by rename: a program that runs is not written into
	done
	if ! command -v systemctl >/dev/null; then
		echo "/usr/bin/@NAME@ is there, and no systemd: have your own start it (see @NAME@ help)."
		exit 0
	fi
	sh scripts/postinst "$there"
	;;
--remove | --purge)
	[ ! -e /usr/bin/@NAME@ ] || sh scripts/prerm 0
	for file in $files; do
		rm -f "/$file"
	done
	sh scripts/postrm "${1#--}"
	;;
*)
	sed -n '2,/^set/s/^#[[:space:]]\{0,1\}//p' "$0" >&2
	exit 2
	;;
esac
