#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# First process of a z3trace guest.
#
# virtme-ng's initramfs has mounted the host's root read-only and runs this in
# place of virtme-ng's own init: no udev, no system services, nothing that a
# recording does not need.  The host's root is mounted a second time with a
# cache, under an overlay, so that the guest may write anywhere and the host
# sees nothing of it; Z3T_SHARE is the one directory that is really shared, and
# Z3T_RUN, below it, is where the host left the command and waits for its status.

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
options=version=9p2000.L,trans=virtio,access=any,msize=512000

give_up() {
	echo "z3trace-guest: $*" >/dev/console
	echo o >/proc/sysrq-trigger
	sleep 10
}

mount -n -t proc proc /proc
mount -n -t tmpfs -o mode=0755 run /run
mkdir -p /run/host /run/write/upper /run/write/work /run/root
mount -n -t 9p -o "ro,cache=loose,$options" z3t-root /run/host ||
	give_up "cannot mount the host's root"
modprobe -d "$Z3T_KERNEL" overlay || give_up "cannot load overlayfs"
mount -n -t tmpfs -o mode=0755 write /run/write
mkdir -p /run/write/upper /run/write/work
mount -n -t overlay -o lowerdir=/run/host,upperdir=/run/write/upper,workdir=/run/write/work \
	overlay /run/root || give_up "cannot lay the overlay"
cd /run/root || give_up "no root"

mount -n -t proc proc proc
mount -n -t sysfs sys sys
mount -n -t devtmpfs dev dev
mkdir -p dev/shm dev/pts
mount -n -t tmpfs -o mode=1777 shm dev/shm
mount -n -t devpts devpts dev/pts
mount -n -t tmpfs -o mode=0755 run run
mount -n -t debugfs debugfs sys/kernel/debug
mount -n -t tracefs tracefs sys/kernel/tracing
mount -n -t cgroup2 cgroup2 sys/fs/cgroup
mkdir -p "./$Z3T_SHARE" lib/modules usr/src root tmp
mount -n -t 9p -o "$options" z3t-share "./$Z3T_SHARE" ||
	give_up "cannot mount the shared directory"

# The kernel's own files, under the names that modprobe and BCC look for.
rm -rf "lib/modules/$Z3T_RELEASE"
ln -s "$Z3T_KERNEL/lib/modules/$Z3T_RELEASE" "lib/modules/$Z3T_RELEASE"
for headers in "./$Z3T_KERNEL"/usr/src/linux-headers-*; do
	rm -rf "usr/src/${headers##*/}"
	ln -s "${headers#.}" "usr/src/${headers##*/}"
done

echo z3trace-guest >/proc/sys/kernel/hostname
ip link set lo up 2>/dev/null
echo "z3trace-guest: ready" >/dev/console
setsid chroot . /bin/sh "$Z3T_RUN/command.sh" </dev/null \
	>"./$Z3T_RUN/stdout" 2>"./$Z3T_RUN/stderr" &
command=$!
# The host asks for an interrupt over the serial line: waiting for it costs the
# guest nothing.
while read -r word; do
	[ "$word" = interrupt ] && kill -INT "-$command"
done </dev/ttyS0 &
wait "$command"
echo $? >"./$Z3T_RUN/status.new"
mv "./$Z3T_RUN/status.new" "./$Z3T_RUN/status"
sync
echo "z3trace-guest: done" >/dev/console
echo o >/proc/sysrq-trigger
sleep 10
