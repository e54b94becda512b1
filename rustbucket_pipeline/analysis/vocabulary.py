"""The words that say what is done: they stay in a template; every other word is somebody's choice and doesn't.

Commands and their arguments, directories and files of a system, what web attacks ask for; and the words of our rules,
so that a line and its template match the same ones.
"""

import re
from functools import cache
from hashlib import sha256

from rustbucket_pipeline.analysis.rules import load_rules

_COMMANDS = """
alias apt apt-get ash awk base64 bash bg brctl bunzip2 busybox bzip2 cat cd chattr chmod chown chpasswd clear cmp cp
cpio crontab cryptsetup curl cut date dd dash debian df diff dig dmesg dmidecode dnf docker du echo egrep enable env
esxcli eval exec exit export expr false fg fgrep file find firewalld for free ftp ftpget fuser gcc getent git go grep
groups gunzip gzip halt head help history hostname id ifconfig init insmod install iostat ip ipcs iptables ispell java
jobs kill killall kubectl last lastlog less ln locate login logname logout ls lsattr lsblk lscpu lshw lsmod lsof lspci
lsusb make man md5sum mdadm mkdir mkfifo mknod mkfs modprobe more mount mv mysql nano nc ncat netcat netstat nice nmap
node nohup nproc nslookup od openssl passwd paste patch pci perl php pidof ping pip pkill pkg pppoe print printenv
printf ps psql pstree pwd python python2 python3 quit read reboot redis renice reset restart return rm rmdir rmmod
route rpm rsync ruby run scp screen sed seq service set sftp sh sha256sum shell shutdown sleep sort source split ss ssh
ssh-keygen stat start status stop strace strings stty su sudo swapon sync sysctl syslog system systemctl tail tar tee
telnet test tftp time timeout tmux top touch tr traceroute true type ufw ulimit umask umount unalias uname uniq unset
unxz unzip update upgrade uptime useradd userdel usermod vi vim vmstat w watch wc wget which while who whoami whereis
xargs xz yes yum zcat zgrep zip zsh
"""
_PLACES = """
access arp authorized_keys auth bash_history bashrc bin block boot cache class conf config core cpuinfo cron daily dev
disk dmi dns dpkg etc fstab gateway group home hosts hourly http https inc include init interfaces issue kernel key
keys lib lib64 loadavg local lock log logs mail media meminfo mem mnt modules motd mounts mtd net network nologin null
opt os-release partitions passwd pid ports proc profile ptmx pts pub random rc release resolv root rsa run sbin
scripts security self selinux services shadow shells shm size spool src srv ssh stat stats sudoers swaps sys tcp temp
tmp tty udp urandom user users usr utmp var version vm wtmp zero
"""
_WEB = """
admin ajax api app asp aspx backup blog cgi cgi-bin client cmd connect console css data delete download env error
export favicon feed file files form get git head htm html ico image images img index info ini install ip js json
login logout main manage manager options path php phpinfo phpmyadmin portal post put query read robots search
sdk server session setup shell site sitemap sql static status system test txt upload url user v1 v2 vendor web wls
wordpress wp-admin wp-config wp-content wp-includes wp-json wp-login xml xmlrpc
"""
_WORD = re.compile(r"[a-z][a-z0-9_-]{2,24}")
_ESCAPES = re.compile(r"\\[a-zA-Z]|\[[^\]]*\]")


@cache
def known_words() -> frozenset[str]:
    """All of them, in lower case."""
    listed = f"{_COMMANDS} {_PLACES} {_WEB}".split()
    patterns = (pattern for rule in load_rules() for pattern in rule.match.wanted)
    ours = (word for pattern in patterns for word in _WORD.findall(_ESCAPES.sub(" ", pattern).lower()))
    return frozenset(listed).union(ours)


@cache
def vocabulary_version() -> str:
    """Changes with any word, and so with what a fingerprint means."""
    return sha256(" ".join(sorted(known_words())).encode()).hexdigest()
