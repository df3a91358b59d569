#!/usr/bin/env bash
# Installs the daemon into a systemd of its own and uses it there as its users do; as root.
#
#     Tests/System/test-systemd.sh [BINARY]      with BINARY installed instead of a newly built one
#
# What it shows: units that systemd finds nothing wrong with and calls well protected; start, lines through the socket
# unit's FIFO and a watched folder, journal fields, reload with a good and a bad file, a stopped process replaced by the
# watchdog without loss, a start with a broken configuration without loss, a stop that answers what was read, a second
# instance, re-distillation by its timer and at the daemon's request, its failure that monitoring sees, and an uninstall
# that leaves nothing.
set -euo pipefail

fifo=/run/understudy/wire
spool=/var/spool/understudy
answers=/var/log/understudy/answers.jsonl
config=/etc/understudy/understudy.yaml
patience=300   # seconds that anything may take; far more than the slowest machine needs

# --- On the host: an install tree, then everything else inside -------------------------------------------------------

prepare() {
    local binary=${1:+INSTALL_BINARY=$(realpath "$1")}
    cd "$(dirname "$0")/../.."
    stage=$(mktemp -d)
    trap 'rm -rf "$stage"' EXIT
    make -s install DESTDIR="$stage" PREFIX=/usr ${binary:+"$binary"}
    TEST_SYSTEMD_STAGE=inside Tests/System/with-systemd Tests/System/test-systemd.sh "$stage"
}

# --- Inside ----------------------------------------------------------------------------------------------------------

say() { printf '== %s\n' "$*"; }

fail() {
    printf 'FAILED: %s\n' "$*" >&2
    [[ ! -e $answers ]] || grep -o '"text":"[a-z]*' $answers | sort | uniq -c >&2
    systemctl status --no-pager --lines 0 understudy.service understudy.socket >&2 || true
    journalctl --no-pager | grep -v '第[0-9]*条' | tail -n 40 >&2 || true
    exit 1
}

# until_true WHAT COMMAND [ARG...]: runs COMMAND again and again until it succeeds.
until_true() {
    local what=$1 deadline=$((SECONDS + patience))
    shift
    while ! "$@" >/dev/null 2>&1; do
        (( SECONDS < deadline )) || fail "$what"
        sleep 0.1
    done
}

property() { systemctl show --value --property "$1" "${2:-understudy.service}"; }

# lines NAME COUNT: numbered headlines, told apart by NAME.
lines() { for (( i = 1; i <= $2; i++ )); do echo "$1 第$i条：主队在加时赛中取胜"; done; }

# answered NAME COUNT [FILE]: whether each of them has its answer, once.
answered() {
    local file=${3:-$answers}
    [[ -e $file ]] || return 1
    (( $(grep -c "\"text\":\"$1 " "$file") == $2 )) &&
        (( $(grep -o "\"text\":\"$1 第[0-9]*" "$file" | sort -u | wc -l) == $2 ))
}

# logged ID: whether the journal has an entry of the event (Sources/Service/Logs/DaemonEvent.swift) since `mark`.
logged() {
    [[ -n $(journalctl --quiet --output cat --since "$since" _SYSTEMD_UNIT=understudy.service MESSAGE_ID="$1") ]]
}
mark() { since=$(date '+%F %T.%6N'); }
event() { sed -n "s/^ *case $1 = \"\(.*\)\"/\1/p" Sources/Service/Logs/DaemonEvent.swift; }

# configure FILE ROOT [SINK...]: a configuration with a FIFO under /run/ROOT, the watched folder /var/spool/ROOT, and
# these file sinks under /var/log/ROOT beside the journal.
configure() {
    local file=$1 root=$2 sink
    shift 2
    {
        cat <<END
sources:
  - name: wire
    kind: fifo
    path: /run/$root/wire
  - name: drops
    kind: directory
    path: /var/spool/$root
sinks:
  - name: journal
    kind: journald
END
        for sink in "$@"; do
            cat <<END
  - name: ${sink%.*}
    kind: file
    path: /var/log/$root/$sink
END
        done
    } >"$file"
}

check_units() {
    local unit score complaints
    systemctl daemon-reload
    for unit in understudy.service understudy@second.service understudy-redistill.service \
        understudy-redistill@second.service; do
        complaints=$(systemd-analyze verify "$unit" understudy.socket understudy-redistill.timer \
            understudy-redistill.path understudy-redistill@second.timer understudy-redistill@second.path 2>&1) ||
            fail "verify $unit: $complaints"
        [[ -z $complaints ]] || fail "verify $unit: $complaints"
        score=$(systemd-analyze security "$unit" 2>/dev/null |
            sed -n 's/.*Overall exposure level.*: \([0-9.]*\) .*/\1/p')
        say "$unit: exposure $score"
        awk -v score="$score" 'BEGIN { exit !(score != "" && score <= 2.0) }' || fail "exposure of $unit is over 2.0"
    done
    # The two services are the same but for the names.
    diff <(sed '/^#/d; s/, instance %i//; s/-%i$//; s|/%i.yaml|/understudy.yaml|' systemd/understudy@.service) \
        <(sed '/^#/d' systemd/understudy.service) || fail "understudy.service and understudy@.service differ"
    diff <(sed '/^#/d; s/, instance %i//; s/-%i$//; s|/%i.yaml|/understudy.yaml|' systemd/understudy-redistill@.service) \
        <(sed '/^#/d' systemd/understudy-redistill.service) || fail "the services of re-distillation differ"
}

start() {
    # Restarts that a test can wait for; what a slow machine can't keep is not asked of it.
    watchdog 300
    configure $config understudy answers.jsonl
    mark
    systemctl start understudy.socket
    local found
    found=$(stat -c '%F %U %G %a' $fifo)
    [[ $found == "fifo understudy understudy 660" ]] || fail "the FIFO is: $found"
    systemctl start understudy.service
    [[ $(property ActiveState) == active ]] || fail "it isn't active after its start"
    [[ -n $(property StatusText) ]] || fail "it says no status"
    until_true "it logs that it is ready" logged "$(event ready)"
}

send_lines() {
    lines fifo 50 >$fifo
    until_true "lines through the FIFO are answered" answered fifo 50
    lines folder 50 >$spool/.first.tmp
    mv $spool/.first.tmp $spool/first.txt
    until_true "lines of a file in the watched folder are answered" answered folder 50
}

check_journal() {
    local entry field
    entry=$(journalctl --quiet --output json --lines 1 UNDERSTUDY_SOURCE=wire UNDERSTUDY_BY=student \
        + UNDERSTUDY_SOURCE=wire UNDERSTUDY_BY=teacher)
    for field in '"PRIORITY":"6"' '"SYSLOG_IDENTIFIER":"understudy"' '"UNDERSTUDY_ID":"[0-9a-f]\{16\}"' \
        '"UNDERSTUDY_LABEL":"' '"UNDERSTUDY_CONFIDENCE":"[01]\.' '"UNDERSTUDY_STUDENT":"' '"MESSAGE":"fifo 第'; do
        grep -q "$field" <<<"$entry" || fail "an answer in the journal has no $field: $entry"
    done
    entry=$(journalctl --quiet --output json --lines 1 MESSAGE_ID="$(event ready)")
    grep -q '"PRIORITY":"[56]"' <<<"$entry" || fail "the log has no priorities: $entry"
}

reload() {
    local process
    process=$(property MainPID)
    mark
    configure $config understudy answers.jsonl second.jsonl
    systemctl reload understudy.service
    until_true "a reload is logged" logged "$(event reloaded)"
    lines reloaded 50 >$fifo
    until_true "the added sink gets answers" answered reloaded 50 /var/log/understudy/second.jsonl
    until_true "the old sink gets answers" answered reloaded 50

    mark
    echo "nonsense: [" >>$config
    systemctl reload understudy.service || true
    until_true "a refused reload is logged" logged "$(event reloadRefused)"
    lines refused 50 >$fifo
    until_true "the configuration before is kept" answered refused 50 /var/log/understudy/second.jsonl
    [[ $(property MainPID) == "$process" ]] || fail "a reload replaced the process"
    configure $config understudy answers.jsonl
    systemctl reload understudy.service
}

# watchdog SECONDS: the time that the service has, from its next start on.
watchdog() {
    mkdir -p /run/systemd/system/understudy.service.d
    printf '[Service]\nWatchdogSec=%s\nRestartSec=100ms\n' "$1" >/run/systemd/system/understudy.service.d/test.conf
    systemctl daemon-reload
}

stop_process() {
    local process
    watchdog 3
    systemctl restart understudy.service
    process=$(property MainPID)
    kill -STOP "$process"
    # What a thread reads before it has stopped dies with the process.
    until_true "the process stops" is_stopped "$process"
    lines meanwhile 200 >$fifo
    until_true "the watchdog has the process replaced" replaced "$process"
    watchdog 300
    until_true "lines written meanwhile are answered" answered meanwhile 200
}
is_stopped() { ! grep -hv '^State:.T' <(grep -h ^State: "/proc/$1"/task/*/status); }
replaced() { [[ $(property MainPID) != "$1" && $(property ActiveState) == active ]]; }

# A mistake in the configuration keeps the service from starting, and costs nothing of what waits in the pipe.
fail_to_start() {
    systemctl stop understudy.service 2>/dev/null
    echo "nonsense: [" >$config
    ! systemctl start understudy.service 2>/dev/null || fail "it starts with a broken configuration"
    lines waiting 200 >$fifo
    until_true "a start that fails is tried again" retried 5
    configure $config understudy answers.jsonl
    until_true "lines that waited for a good configuration are answered" answered waiting 200
    [[ $(property ActiveState understudy.socket) == active ]] || fail "the socket unit has given up"
}
retried() { (( $(property NRestarts) >= $1 )); }

stop() {
    lines drained 5000 >$fifo
    mark
    systemctl stop understudy.service 2>/dev/null
    # What wasn't read yet is in the pipe, and makes the socket unit start the service again.
    until_true "the stop is clean" deactivated
    until_true "lines before a stop are answered" answered drained 5000
    systemctl stop understudy.socket understudy.service
    [[ $(property Result) == success && $(property ExecMainStatus) == 0 ]] ||
        fail "it ended with $(property Result), status $(property ExecMainStatus)"
    [[ -p $fifo ]] || fail "the FIFO is gone after the stop"
}
deactivated() {
    journalctl --quiet --output cat --since "$since" UNIT=understudy.service |
        grep -qx 'understudy.service: Deactivated successfully.'
}

second_instance() {
    install -d -o understudy -g understudy -m 2770 /var/spool/understudy-second
    configure /etc/understudy/second.yaml understudy-second answers.jsonl
    systemctl start understudy@second.service
    lines second 20 >/run/understudy-second/wire
    until_true "the second instance answers" answered second 20 /var/log/understudy-second/answers.jsonl
    [[ $(stat -c '%U %a' /var/lib/understudy-second) == "understudy 750" ]] || fail "its state folder isn't there"
    systemctl stop understudy@second.service
    rm /etc/understudy/second.yaml
}

# redistill_settings ROWS HOLDOUT: what a run needs, with so many new rows wanted.
redistill_settings() {
    configure $config understudy answers.jsonl
    printf 'redistill: {train: %s, holdout: %s, minimum_new_rows: %s}\n' $base/train.jsonl "$2" "$1" >>$config
}
base=/var/lib/understudy/base
runs=understudy-redistill.service

# said TEXT: whether a run has said so since `mark`.
said() { journalctl --quiet --output cat --since "$since" _SYSTEMD_UNIT=$runs | grep -q "$1"; }
over() { [[ $(property ActiveState $runs) == inactive && $(property Result $runs) == success ]]; }

redistill() {
    install -d -o understudy -g understudy $base
    for label in car culture edu game sports; do
        for (( i = 1; i <= 20; i++ )); do echo "{\"text\":\"$label 的第$i条新闻\",\"label\":\"$label\"}"; done
    done | tee $base/train.jsonl | sed 's/新闻/消息/' >$base/holdout.jsonl
    redistill_settings 1000000 $base/holdout.jsonl

    mkdir -p /run/systemd/system/understudy-redistill.timer.d
    printf '[Timer]\nOnCalendar=\nOnActiveSec=1s\nRandomizedDelaySec=0\nAccuracySec=100ms\n' \
        >/run/systemd/system/understudy-redistill.timer.d/test.conf
    systemctl daemon-reload
    mark
    systemctl start understudy-redistill.timer
    until_true "the timer starts a run" said "nothing to do: .* new rows in the log, 1000000 are needed"
    until_true "a run with nothing to do succeeds" over

    mark
    systemctl start understudy-redistill.path
    runuser -u understudy -- touch /var/lib/understudy/redistill.request
    until_true "the daemon's request starts a run" said "nothing to do"
    [[ ! -e /var/lib/understudy/redistill.request ]] || fail "the request is still there"
    until_true "that run succeeds too" over

    redistill_settings 1 $base/missing.jsonl
    mark
    ! systemctl start $runs 2>/dev/null || fail "a run without its holdout succeeds"
    [[ $(property ExecMainStatus $runs) == 66 ]] || fail "it ended with $(property ExecMainStatus $runs)"
    systemctl --failed --no-legend --plain | grep -q "^$runs" || fail "the failed run isn't among the failed units"
    said "missing.jsonl" || fail "the journal doesn't say what was missing"
    systemctl reset-failed $runs
    systemctl stop understudy-redistill.timer understudy-redistill.path
    [[ ! -e /var/lib/understudy/redistill.work ]] || fail "a run leaves its workplace"
    configure $config understudy answers.jsonl
}

uninstall() {
    make -s uninstall PREFIX=/usr
    local left
    left=$(find /usr /etc -name '*understudy*' -not -path "$PWD/*" -not -path /etc/understudy -not -path "$config")
    [[ -z $left ]] || fail "uninstall leaves $left"
    [[ -e $config && -e $answers ]] || fail "uninstall took a changed configuration or the answers"
}

inside() {
    cp -a --no-preserve=ownership "$1"/{usr,etc} /
    systemd-sysusers /usr/lib/sysusers.d/understudy.conf
    systemd-tmpfiles --create /usr/lib/tmpfiles.d/understudy.conf
    set -E
    trap 'fail "line $LINENO: $BASH_COMMAND"' ERR
    local step
    for step in check_units start send_lines check_journal reload stop_process fail_to_start stop second_instance \
        redistill uninstall; do
        say "${step//_/ }"
        $step
    done
    say "the daemon is at home under systemd"
}

stage_name=${TEST_SYSTEMD_STAGE:-prepare}
unset TEST_SYSTEMD_STAGE
"$stage_name" "$@"
