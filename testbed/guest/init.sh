#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# First process of a z3trace guest.
#
# virtme-ng's initramfs has mounted the host's root read-only and runs this in
# place of virtme-ng's own init: no udev, no system services, nothing that a
# recording does not need.  The host's root is mounted a second time with a
# cache, under an overlay, so that the guest may write anywhere and the host
# sees nothing of it.  Z3T_RUN is this guest's own directory: the host left the command
# there and waits for its status.  Z3T_SHARE, if there is one, is really shared, and so
# is Z3T_PROGRAMS.

if [ -z "$Z3T_FAST" ]; then
	# Every program started from the uncached mount is read anew: the tools
	# of this script come from a copy of busybox in memory instead.
	# /proc first: until then it is the host's, and /proc/self is QEMU.
	mount -n -t proc proc /proc
	mount -n -t tmpfs -o mode=0755 run /run
	cp "$Z3T_BUSYBOX" /run/busybox && mkdir /run/bin &&
		/run/busybox --install -s /run/bin || exec sh
	PATH=/run/bin Z3T_FAST=1 exec /run/busybox sh "$0"
fi
options=version=9p2000.L,trans=virtio,access=any,msize=512000

give_up() {
	echo "z3trace-guest: $*" >/dev/console
	echo o >/proc/sysrq-trigger
	sleep 10
}

mkdir -p /run/host /run/write /run/root
mount -t 9p -o "ro,cache=loose,$options" z3t-root /run/host ||
	give_up "cannot mount the host's root"
insmod "$Z3T_KERNEL/lib/modules/$Z3T_RELEASE/kernel/fs/overlayfs/overlay.ko"
mount -t tmpfs -o mode=0755 write /run/write
mkdir -p /run/write/upper /run/write/work
mount -t overlay -o lowerdir=/run/host,upperdir=/run/write/upper,workdir=/run/write/work \
	overlay /run/root || give_up "cannot lay the overlay"
cd /run/root || give_up "no root"

# A host in a box lacks some of these.
mkdir -p proc sys dev run tmp root etc mnt
mount -t proc proc proc
mount -t sysfs sys sys
mount -t devtmpfs dev dev
mkdir -p dev/shm dev/pts
mount -t tmpfs -o mode=1777 shm dev/shm
mount -t devpts devpts dev/pts
mount -t tmpfs -o mode=0755 run run
mount -t debugfs debugfs sys/kernel/debug
mount -t tracefs tracefs sys/kernel/tracing
mount -t cgroup2 cgroup2 sys/fs/cgroup
mkdir -p lib/modules usr/src root tmp
if [ -n "$Z3T_SHARE" ]; then
	mkdir -p "./$Z3T_SHARE"
	mount -t 9p -o "$options" z3t-share "./$Z3T_SHARE" ||
		give_up "cannot mount the shared directory"
fi
# After the share, which may lie above it.
mkdir -p "./$Z3T_RUN"
mount -t 9p -o "$options" z3t-run "./$Z3T_RUN" ||
	give_up "cannot mount the guest's directory"
# Compiled programs outlive a guest; without them each is compiled again.
mkdir -p "./$Z3T_PROGRAMS" &&
	mount -t 9p -o "$options" z3t-programs "./$Z3T_PROGRAMS"
# How long the threads that are this guest's CPUs waited for one of the host's: read
# anew each time.
mkdir -p run/z3trace-threads &&
	mount -t 9p -o "ro,$options" z3t-threads run/z3trace-threads

# The kernel's own files, under the names that modprobe and BCC look for.
rm -rf "lib/modules/$Z3T_RELEASE"
ln -s "$Z3T_KERNEL/lib/modules/$Z3T_RELEASE" "lib/modules/$Z3T_RELEASE"
for headers in "./$Z3T_KERNEL"/usr/src/linux-headers-*; do
	rm -rf "usr/src/${headers##*/}"
	ln -s "${headers#.}" "usr/src/${headers##*/}"
done

echo z3trace-guest >/proc/sys/kernel/hostname
ip link set lo up 2>/dev/null
# The devices of the new root: those at /dev are the host's, and a box has no console.
echo "z3trace-guest: ready" >dev/console
setsid chroot . /bin/sh "$Z3T_RUN/command.sh" </dev/null \
	>"./$Z3T_RUN/stdout" 2>"./$Z3T_RUN/stderr" &
command=$!
# The host asks for an interrupt over the serial line: waiting for it costs the
# guest nothing.
stty -echo <dev/ttyS0 2>/dev/null
while read -r word; do
	case "$word" in
	interrupt)
		kill -INT "-$command"
		echo "z3trace-guest: interrupted" >dev/console
		;;
	ping) echo "z3trace-guest: here" >dev/console ;;
	esac
done <dev/ttyS0 &
# Read as a whole before it runs: when the devices are down neither a program nor the
# rest of this file can be read, and the end of init is a panic.
{
	wait "$command"
	echo $? >"./$Z3T_RUN/status.new"
	mv "./$Z3T_RUN/status.new" "./$Z3T_RUN/status"
	sync
	echo "z3trace-guest: done" >dev/console
	echo o >/proc/sysrq-trigger
	while :; do :; done
}
