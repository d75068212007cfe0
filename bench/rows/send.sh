title="20,000 queued notices to a discarding SMTP server over 16 connections; beside Postfix draining its queue, and a bare outbox (SQLite FULL and libcurl, as many commits)"
contenders="sengen postfix outbox"
targets="rate / postfix >= 8
rate / outbox >= 0.6
memory <= 64 MiB"

prepare() {
	need_root
	need_program postfix smtp-source
	mails=$(scaled 20000)
	mkdir "$dir/filled"
	mail_bytes=$("$peers/send" fill "$dir/filled" "$mails" 16 none none)
	start_queue
}

. bench/rows/send.part
before_sengen() { begin_drain "$dir/filled"; }
run_sengen() {
	drain
	awk '/^commits / {print $2}' "$round_dir/drained" >"$dir/commits"
}

# Mails of the same size and number, as many connections, as many commits as ours had in this round.
before_outbox() { start_sink; }
run_outbox() {
	"$peers/outbox" "$round_dir/outbox.db" "$sink_port" "$mails" 16 "$(cat "$dir/commits")" "$mail_bytes"
	sink_wait "$mails" 1
}

# ---- a Postfix of the row's own ----

queue_program() { postfix -c "$dir/postfix" "$1" >>"$dir/postfix.out" 2>&1; }
start_queue() {
	queue_port=$(free_port)
	mkdir -p "$dir/postfix" "$dir/queue" "$dir/postfix-data"
	chmod 755 "$dir" "$dir/queue"
	chown postfix: "$dir/postfix-data"
	cat >"$dir/postfix/main.cf" <<-CONF
		compatibility_level = 3.6
		queue_directory = $dir/queue
		data_directory = $dir/postfix-data
		maillog_file = $dir/postfix.log
		maillog_file_prefixes = $dir
		myhostname = bench.example.org
		mydestination =
		local_recipient_maps =
		alias_maps =
		alias_database =
		inet_interfaces = 127.0.0.1
		inet_protocols = ipv4
		mynetworks = 127.0.0.0/8
		smtpd_recipient_restrictions = permit_mynetworks, reject
		smtpd_peername_lookup = no
		smtpd_client_connection_count_limit = 0
		default_destination_concurrency_limit = 16
		initial_destination_concurrency = 16
		qmgr_message_active_limit = 40000
	CONF
	{
		echo "127.0.0.1:$queue_port inet n - n - - smtpd"
		echo "postlog unix-dgram n - n - 1 postlogd"
		grep -E '^(pickup|cleanup|qmgr|tlsmgr|rewrite|bounce|defer|trace|verify|flush|proxymap|proxywrite|smtp +unix|relay|showq|error|retry|discard|anvil|scache)' \
			/usr/share/postfix/master.cf.dist | awk '{$5 = "n"; print}'
	} >"$dir/postfix/master.cf"
	at_end "queue_program stop"
}
# Queued while nothing is delivered, then stopped; when it starts again they are all due.
before_postfix() {
	start_sink
	postconf -c "$dir/postfix" -e "relayhost = [127.0.0.1]:$sink_port" defer_transports=smtp
	queue_program start
	until_ok 10 bash -c "exec 3<>/dev/tcp/127.0.0.1/$queue_port" 2>/dev/null
	smtp-source -d -s 16 -l "$mail_bytes" -m "$mails" -f desk@example.org -t info@example.co.jp "127.0.0.1:$queue_port"
	sleep 2
	queue_program stop
	until_ok 30 bash -c "! /usr/sbin/postfix -c '$dir/postfix' status 2>/dev/null"
	find "$dir/queue/deferred" -type f -exec touch -d "1 minute ago" {} +
	find "$dir/queue/deferred" -type f -exec mv -t "$dir/queue/incoming" {} +
	postconf -c "$dir/postfix" -X defer_transports
	sync -f "$dir"
}
run_postfix() {
	begun=$(clock)
	queue_program start
	family_watch "$(tr -d ' ' <"$dir/queue/pid/master.pid")"
	sink_wait "$mails" 600
	figure rate "$(per_second "$mails" "$begun" "$sink_last")" mails/s
	figure memory "$(family_peak)" MiB
	queue_program stop
	until_ok 30 bash -c "! /usr/sbin/postfix -c '$dir/postfix' status 2>/dev/null"
}
