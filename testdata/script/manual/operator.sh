# The operator's manual, block by block. What a person does between two of them, and
# the manual says so in words, is done here.
set -euo pipefail
mount --make-rprivate /
for empty in /var/lib /var/backups /etc/ssl /mnt; do mount -t tmpfs -o mode=755 tmpfs $empty; done
mkdir /mnt/over /mnt/work
mount -t overlay overlay -o lowerdir=/etc,upperdir=/mnt/over,workdir=/mnt/work /etc
# What the package does.
useradd --system anagrafe-collector
install -d -o anagrafe-collector -g anagrafe-collector -m 700 /var/lib/anagrafe-collector
mkdir /etc/ssl/anagrafe
cp cert.pem /etc/ssl/anagrafe/fullchain.pem
install -o anagrafe-collector -m 400 key.pem /etc/ssl/anagrafe/privkey.pem
ip addr add 10.20.0.7/32 dev lo # in the forces' network
cat >hosts <<'END'
127.0.0.1 localhost telecamere.comune.example.it ops.telecamere.comune.example.it db.example.it
10.20.0.7 forze.telecamere.comune.example.it
END
cp hosts /etc/hosts
trap 'systemctl stop anagrafe-collector; [ ! -d /var/lib/postgresql ] || postgres pg_ctl -D /var/lib/postgresql -m immediate stop' EXIT

n=a
do_next() {
	echo "--- $n"
	# shellcheck disable=SC1090
	set -x; . "blocks/$n"; { set +x; } 2>/dev/null
	n=$(tr a-y b-z <<<$n)
}
RECIPIENT=$(cat register.pub) FORCE_RECIPIENT=$(cat force.pub)

do_next # the configuration
do_next # a port below 1024
do_next # the first start
do_next # the first administrator's link
do_next # people, districts, addresses
do_next # another key for the authority
do_next # a force
do_next # invitations

# PostgreSQL, and back: the way back is not in a block.
initdb=$(dirname /usr/lib/postgresql/*/bin/initdb)
db=/var/lib/postgresql
install -d -o nobody $db
postgres() { (cd / && runuser -u nobody -- "$initdb/$@" >/dev/null); }
postgres initdb -D $db -U anagrafe -A trust --no-sync
postgres pg_ctl -D $db -l $db/log -o "-k '' -c listen_addresses=127.0.0.1" start
psql -q -h 127.0.0.1 -U anagrafe -d postgres -c 'CREATE DATABASE anagrafe'
cp -a /var/lib/anagrafe-collector before
do_next # PostgreSQL
anagrafe-collector user list
systemctl stop anagrafe-collector
rm -r /var/lib/anagrafe-collector
mv before /var/lib/anagrafe-collector
rm -f /var/lib/anagrafe-collector/control.sock
systemctl start anagrafe-collector

do_next # a backup
do_next # and a restored register
anagrafe-collector user list | grep 'Ada Neri'
do_next # another master key
do_next # is it ready?
TRAIL_KEY=$(grep -o 'trail_key=[^ ]*' anagrafe-collector.log | tail -1 | cut -d= -f2)
# The witness's public key goes into the configuration, between the block's two lines.
anagrafe-collector() {
	command anagrafe-collector "$@" | tee said
	if [ "$1 $2 ${3-}" = 'audit witness -new' ]; then
		sed -i "1i witnesses = [\"$(grep -o 'prefettura+[^ ]*' said | head -1)\"]" /var/lib/anagrafe-collector/collector.toml
		systemctl restart anagrafe-collector
	fi
}
do_next # a second key
unset -f anagrafe-collector
do_next # the proof
do_next # before an upgrade
SITE=$(anagrafe-collector invite -site 'Bar Sport' -json | sed -n 's/.*"site_id": "\(.*\)",/\1/p')
do_next # an erasure
grep -q 'Certificato di cancellazione' erased.txt

# What the packages bring of a cluster; its services run in a test of their own.
mount -t tmpfs tmpfs /usr/share/doc
mkdir -p /usr/share/doc/anagrafe-collector /etc/haproxy
cp -r cluster /usr/share/doc/anagrafe-collector/
DB_PASSWORD=0123456789abcdef
do_next # a machine of the database
! grep -q '^[^#]*@[A-Z]*@' /etc/default/etcd /etc/patroni/config.yml
do_next # a collector's machine

# What the publishers' package does, and then three who sign, elsewhere.
useradd --system anagrafe-publish
install -d -o anagrafe-publish -g anagrafe-publish -m 755 /var/lib/anagrafe-publish
do_next # the channel's key
sealed=(-passphrase /etc/anagrafe-publish/passphrase)
for who in a b c; do anagrafe-publish key $who.key "${sealed[@]}"; done
anagrafe-publish root desk -owner a.key.pub -owner b.key.pub -owner c.key.pub -online /etc/anagrafe-publish/key.pub
for who in a c; do anagrafe-publish sign desk -key $who.key "${sealed[@]}"; done
mv desk/staged .
do_next # the channel
curl -fsS http://127.0.0.1:9180/metrics >metrics
grep '^anagrafe_channel_timestamp_expires_seconds 1' metrics # the collector can read it
[ ! -e "blocks/$n" ] # that was the last
