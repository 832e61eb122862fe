#!/bin/sh
# Runs a command for each load, one after the other, each under a slot of this node.
#
#     worker.sh LOAD... -- COMMAND [ARGUMENT...]
#
# Needs curl and a shell of any kind. The sidecar's socket is $SLOTS_SOCKET. Exits with 0 when every
# command did, 74 when a slot was lost, 75 when none was got, else as the last command that failed.
#
# The slot is held by curl's open connection. curl lives as long as the leash, file descriptor 9, is
# open; only this shell and the command have it. So the slot is free when both are gone, even with
# kill -9, and is never free while the command still runs.

socket=${SLOTS_SOCKET:-/run/node-slots/agent.sock}
LOST=74 NOT_GRANTED=75 USAGE=64

say() { echo "worker.sh: $*" >&2; }

# A field of the JSON line, text or number; nothing for null.
field() {
    printf '%s\n' "$line" | sed -n -e "/\"$1\": *null/d" \
        -e "s/.*\"$1\": *\"\([^\"]*\).*/\1/p" -e t -e "s/.*\"$1\": *\([^,}]*\).*/\1/p"
}

# Asks for the slot and holds it, until the leash is let go. Lines go to descriptor 1.
hold() {
    curl --silent --show-error --no-buffer --unix-socket "$socket" \
        --header 'Content-Type: application/json' \
        --data "{\"load\": \"$1\"}" http://sidecar/v1/slots &
    exec >/dev/null # the lines end with curl
    cat <&8         # ends when nobody has the leash any more
    kill $! 2>/dev/null
}

# Starts `hold`; descriptor 3 reads its lines. The two named pipes have no name for long.
connect() {
    pipes=$(mktemp -d) && mkfifo "$pipes/leash" "$pipes/lines" || exit 1
    exec 9<>"$pipes/leash"
    { exec 8<"$pipes/leash" 9>&- >"$pipes/lines"; hold "$1"; } &
    holder=$!
    exec 3<"$pipes/lines" # waits until the other side has opened both
    rm -r "$pipes"
}

# Lets the leash go, and waits until the connection is closed.
disconnect() {
    exec 3<&- 9>&-
    wait $holder
}

# Reads lines until the slot is there (true) or refused (false).
wait_for_grant() {
    while read -r line <&3; do
        case $(field state) in
        queued) say "$1 waits at place $(field position): $(field reason)" ;;
        granted) return 0 ;;
        *) break ;;
        esac
    done
    say "$1 got no slot: ${line:-the sidecar does not answer}"
    return 1
}

# Reads on while the command runs. Ends it with TERM when the slot is lost, or the sidecar gone.
watch() {
    while read -r line <&3 && [ "$(field state)" != lost ]; do :; done
    trap '' TERM # from now on the code is ours
    kill "$1" 2>/dev/null && say "the slot is lost: ending the command"
    exit $LOST
}

run() {
    export SLOT_LOAD="$1" SLOT_GOVERNED="$(field governed)" SLOT_NODE="$(field node)" \
        SLOT_NAMESPACE="$(field namespace)" SLOT_CLAIM="$(field claim)" \
        SLOT_ORDINAL="$(field slot)" SLOT_LEASE="$(field lease)" \
        SLOT_FENCING_TOKEN="$(field fencingToken)"
    shift
    trap - TERM # a child that is ended before it has begun would keep our handler, and live on
    "$@" <&4 3<&- 4<&- & # a command in the background has no input of its own
    command=$!
    { exec 9>&-; watch $command; } &
    watcher=$!
    trap 'stop 143' TERM
    wait $command 2>/dev/null
    code=$?
    command=
    kill $watcher 2>/dev/null
    wait $watcher 2>/dev/null
    [ $? -ne $LOST ] || code=$LOST
}

# One load: the slot, the command, and the slot given back. The code is in $code.
under_slot() {
    connect "$1"
    if wait_for_grant "$1"; then run "$@"; else code=$NOT_GRANTED; fi
    disconnect
}

# A signal ends the command, and with this shell the waiting and the connection.
stop() {
    [ -z "$command" ] || { kill "$command"; wait "$command" 2>/dev/null; }
    exit "$1"
}
trap 'stop 143' TERM
trap 'stop 130' INT
trap 'stop 129' HUP

command= loads= failed=0
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    case $1 in *[!A-Za-z0-9._/:@-]*) say "no load's name: $1"; exit $USAGE ;; esac
    loads="$loads $1"
    shift
done
[ -n "$loads" ] && [ $# -gt 1 ] || {
    say "usage: worker.sh LOAD... -- COMMAND [ARGUMENT...]"
    exit $USAGE
}
shift
exec 4<&0
for load in $loads; do
    under_slot "$load" "$@"
    [ "$code" = 0 ] || failed=$code
done
exit $failed
