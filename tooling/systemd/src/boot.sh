#!/bin/sh
# boot.sh <root> <checkout> <scratch>: systemd as the first process of a machine made of the folder <root>, with <checkout> as /opt/sallyport.
# Called in new namespaces. Both folders are lower layers, which are never written; whatever the machine writes is in memory, and gone with it.
set -eu
root=$1 checkout=$2 scratch=$3

mount -t tmpfs -o mode=755 tmpfs "$scratch"
cd "$scratch"
mkdir root root.new root.work opt.new opt.work
mount -t overlay -o "lowerdir=$root,upperdir=$scratch/root.new,workdir=$scratch/root.work" overlay root
cd root

# Nothing of the machine that lent its folder starts: neither what it enables, nor its mounts. A first boot would enable everything, so this is none.
rm -rf etc/systemd/system etc/systemd/network etc/rc?.d etc/fstab etc/crypttab
mkdir -p etc/systemd/system opt/sallyport
: > etc/fstab
tr -d - < /proc/sys/kernel/random/uuid > etc/machine-id
echo trial > etc/hostname
echo '127.0.0.1 localhost trial' > etc/hosts
mount -t overlay -o "lowerdir=$checkout,upperdir=$scratch/opt.new,workdir=$scratch/opt.work" overlay opt/sallyport

mount -t proc -o nosuid,nodev,noexec proc proc
for path in proc/sys proc/sysrq-trigger; do
  [ -e "$path" ] || continue
  mount --bind "$path" "$path"
  mount -o remount,bind,ro "$path"
done
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs sys
mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755,nosuid tmpfs dev
for device in null:3 zero:5 full:7 random:8 urandom:9; do mknod -m 666 "dev/${device%:*}" c 1 "${device#*:}"; done
mknod -m 666 dev/tty c 5 0
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs dev/shm
mount -t tmpfs -o mode=755,nosuid,nodev tmpfs run
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs tmp

pivot_root . .
umount -l .
cd /
# Credentials are mounted for services in a namespace beside, and reach them by propagation; nothing leads out of this one.
mount --make-rshared /

# Systemd empties /tmp and mounts what it finds: it may only start where nothing can be reached but memory and lower layers.
foreign=$(sed 's/.* - \([^ ]*\) .*/\1/' /proc/self/mountinfo | grep -vxE 'overlay|proc|sysfs|cgroup2|tmpfs|devpts' || true)
[ -z "$foreign" ] || { echo "this machine would not be alone: $foreign" >&2; exit 70; }
for path in /tmp /run /dev; do
  grep -q " / $path .* - tmpfs " /proc/self/mountinfo || { echo "$path is not its own" >&2; exit 70; }
done

init=/lib/systemd/systemd
[ -x "$init" ] || init=/usr/lib/systemd/systemd
# What containers are not given, either.
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin setpriv \
  --bounding-set -sys_time,-sys_module,-sys_rawio,-syslog,-sys_pacct,-wake_alarm,-block_suspend,-mac_admin,-mac_override \
  "$init" --system --unit=multi-user.target --log-target=journal --show-status=no
