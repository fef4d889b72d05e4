#!/bin/bash
# Boots this machine's own systemd as process 1 of namespaces of its own, over a copy of / that is thrown away.
#
#   boot.sh probe                    says whether that can be done here
#   boot.sh boot VENV WHEEL SEED CATALOGUE
#       VENV       becomes /opt/skymmich-reconciler/venv, and WHEEL is installed into it; both empty: nothing is there
#       SEED       a tree of files that is laid over /
#       CATALOGUE  this very folder becomes the Docker volume skymmich_skymmich-config
#
# It needs root, and neither a download nor a disk image. There is no network in it but its own loopback. Whoever
# kills this process ends all of it; only the empty control groups are left, under the name of its pid.
set -euo pipefail

groups=$(findmnt --noheadings --first-only --types cgroup2 --output TARGET)
group=$groups/skymmich-reconciler-test.$$
namespaces=(--mount --pid --fork --kill-child --uts --ipc --net --cgroup --propagation private)

export root=/run/machine/root
# What is written to the copy stays in memory, and goes with the last process in it.
copy='
	mkdir -p /run/machine
	mount -t tmpfs -o mode=755 tmpfs /run/machine
	mkdir /run/machine/{changes,work,root,venv-changes,venv-work}
	mount -t overlay -o lowerdir=/,upperdir=/run/machine/changes,workdir=/run/machine/work overlay $root
'

if [[ $1 == probe ]]; then
	mkdir "$group"
	trap 'rmdir "$group"' EXIT
	unshare "${namespaces[@]}" bash -euc "$copy"'
		mount -t proc proc $root/proc
		mount -t sysfs -o ro sysfs $root/sys
		mount -t cgroup2 cgroup2 $root/sys/fs/cgroup
	'
	exit
fi

export venv=$2 wheel=$3 seed=$4 catalogue=$5
mkdir "$group"
echo $$ >"$group/cgroup.procs"
exec unshare "${namespaces[@]}" bash -euc "$copy"'
	if [[ -n $venv ]]; then
		# The software, where INSTALL.md puts it. The wheel was built from this checkout.
		mkdir -p $root/opt/skymmich-reconciler/venv
		mount -t overlay -o "lowerdir=$venv,upperdir=/run/machine/venv-changes,workdir=/run/machine/venv-work" \
			overlay $root/opt/skymmich-reconciler/venv
		cp "$wheel" $root/opt/skymmich-reconciler/
		chroot $root /opt/skymmich-reconciler/venv/bin/python -m pip install --quiet --disable-pip-version-check \
			--no-index --no-deps --no-compile "/opt/skymmich-reconciler/${wheel##*/}"
	fi

	# None of what this machine itself starts, mounts or logs.
	rm -rf $root/etc/systemd/system/* $root/etc/fstab $root/var/log/journal
	cp -r "$seed/." $root/

	# Docker lets nobody but root into its folder.
	volume=$root/var/lib/docker/volumes/skymmich_skymmich-config/_data
	mkdir -p $volume
	chmod 710 $root/var/lib/docker
	mount --bind "$catalogue" $volume

	mount -t proc proc $root/proc
	mount -t sysfs -o ro sysfs $root/sys
	mount -t cgroup2 cgroup2 $root/sys/fs/cgroup
	mount -t tmpfs -o mode=755 tmpfs $root/run
	mount -t tmpfs tmpfs $root/tmp
	mount -t tmpfs -o mode=755 tmpfs $root/dev
	mkdir $root/dev/{pts,shm}
	mount -t devpts -o newinstance,ptmxmode=0666 devpts $root/dev/pts
	mount -t tmpfs tmpfs $root/dev/shm
	for device in null zero full random urandom tty; do
		touch $root/dev/$device
		mount --bind /dev/$device $root/dev/$device
	done
	ln -s pts/ptmx $root/dev/ptmx
	ln -s /proc/self/fd $root/dev/fd

	ip link set lo up
	cd $root
	pivot_root . mnt
	umount --lazy /mnt
	mount --make-rshared /
	exec env -i container=skymmich-reconciler-test PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
		/lib/systemd/systemd --system --unit=basic.target --show-status=no
'
