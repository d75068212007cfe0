title="20,000 queued notices over STARTTLS and 16 connections, signed with ed25519; beside TLS alone, rsa-2048, and neither"
contenders="sengen plain tls rsa openssl"
targets="rate / plain >= 0.6
memory <= 64 MiB"

prepare() {
	mails=$(scaled 20000)
	make_ca
	make_cert good localhost
	fill plain none none
	fill tls starttls none
	fill sengen starttls ed25519
	fill rsa starttls rsa-2048
}
fill() { # NAME TLS DKIM
	mkdir "$dir/$1"
	cp "$dir/ca.pem" "$dir/$1/"
	"$peers/send" fill "$dir/$1" "$mails" 16 "$2" "$3" >/dev/null
}

. bench/rows/send.part
before_sengen() { begin_drain "$dir/sengen" --starttls "$dir/good.pem" "$dir/good.key"; }
before_tls() { begin_drain "$dir/tls" --starttls "$dir/good.pem" "$dir/good.key"; }
before_rsa() { begin_drain "$dir/rsa" --starttls "$dir/good.pem" "$dir/good.key"; }
before_plain() { begin_drain "$dir/plain"; }

run_sengen() { drain; }
run_plain() { drain; }
run_tls() { drain; }
run_rsa() { drain; }

# How often a second one processor signs, and nothing else.
run_openssl() {
	openssl speed -mr -seconds 1 rsa2048 2>/dev/null | awk -F: '/^\+F2/ {printf "figure rsa_2048 %.0f signatures/s\n", $4}'
	openssl speed -mr -seconds 1 ed25519 2>/dev/null | awk -F: '/^\+F6/ {printf "figure ed25519 %.0f signatures/s\n", $5}'
}
