#!/bin/bash
# Runs a command as process 1 over an image's files: run.sh ROOT ro|rw "TMPFS…" "FROM:TO:ro|rw…" COMMAND…
# The command has to become the image's user itself (setpriv). Whoever kills this process ends all of it.
set -euo pipefail
export root=$1 mode=$2 tmpfs=$3 mounts=$4
shift 4
exec unshare --mount --pid --fork --kill-child --uts --ipc --propagation private bash -euc '
	mount --bind "$root" "$root"
	for mount in $mounts; do
		IFS=: read -r from to access <<<"$mount"
		if [[ -d $from ]]; then mkdir -p "$root$to"; else mkdir -p "$root${to%/*}"; touch "$root$to"; fi
	done
	mkdir -p "$root/proc" "$root/dev"
	mount -t proc proc "$root/proc"
	mount -t tmpfs -o mode=755 tmpfs "$root/dev"
	for device in null zero full random urandom tty; do
		touch "$root/dev/$device"
		mount --bind "/dev/$device" "$root/dev/$device"
	done
	ln -s /proc/self/fd "$root/dev/fd"
	# As an engine does: the other services have names.
	printf "127.0.0.1 localhost skymmich immich-server\n" >"$root/etc/hosts"
	if [[ $mode == ro ]]; then mount -o remount,bind,ro "$root"; fi
	for folder in $tmpfs; do mount -t tmpfs -o mode=1777,noexec,nosuid,nodev tmpfs "$root$folder"; done
	for mount in $mounts; do
		IFS=: read -r from to access <<<"$mount"
		mount --bind "$from" "$root$to"
		if [[ $access == ro ]]; then mount -o remount,bind,ro "$root$to"; fi
	done
	exec chroot "$root" "$@"
' run "$@"
