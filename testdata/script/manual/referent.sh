# The referents' guide, block by block, beside a LAN of two cameras and a collector.
set -euo pipefail
mount --make-rprivate /
mount -t tmpfs tmpfs /mnt && mkdir /mnt/over /mnt/work
mount -t overlay overlay -o lowerdir=/etc,upperdir=/mnt/over,workdir=/mnt/work /etc
mount -t tmpfs -o mode=755 tmpfs /var/lib
mkdir -p /var/lib/anagrafe-collector /var/lib/anagrafe-agent
chmod 700 /var/lib/anagrafe-*
echo 'public_url = "http://localhost:8080"' >/var/lib/anagrafe-collector/collector.toml
printf 'interfaces = ["lo"]\ntargets = ["127.0.64.1", "127.0.64.2"]\n' >/var/lib/anagrafe-agent/agent.toml
ip link add lan type veth peer name wall # the technician's network; the cameras are those of the configuration
ip addr add 192.168.1.2/24 dev lan
ip link set wall up
ip link set lan up
systemctl start anagrafe-collector
trap 'systemctl stop anagrafe-agent; systemctl stop anagrafe-collector' EXIT

n=a
do_next() {
	echo "--- $n"
	# shellcheck disable=SC1090
	set -x; . "blocks/$n"; { set +x; } 2>/dev/null
	n=$(tr a-y b-z <<<$n)
}
code() { anagrafe-collector invite -site "$1" -json | sed -n 's/.*"link": "\(.*\)",*/\1/p' | sed 's/\\u0026/\&/'; }

do_next # a look
# The technician ends the visit with Enter; that the owner approves is TestVisit's.
CODE=$(code 'Bar Visita')
do_next < <(sleep 2; echo)
CODE=$(code 'Bar Fisso')
systemctl start anagrafe-agent
do_next # a program that stays
until anagrafe-agent cameras -json | grep -q '"id"'; do read -rt 0.2 <> <(:) || :; done
anagrafe-agent contact -name 'Ada Bianchi' -phone '+39 02 5550 0100'
anagrafe-agent set "$(anagrafe-agent cameras -csv | sed -n '2s/[;,].*//p')" -name 'Ingresso 1' -outdoor-public yes -lon 9.19 -lat 45.464
do_next # many cameras
CODE=$(code 'Filiale 1')
do_next # without a keyboard
[ "$(stat -c %a /etc/anagrafe-agent/answers.toml)" = 600 ]
do_next # requests, report
[ ! -e "blocks/$n" ] # that was the last
