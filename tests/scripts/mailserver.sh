# A real Postfix (STARTTLS, SASL) delivering to a real Dovecot: the three notices of each profile arrive, and each trouble ends as promised.
. tests/scripts/lib
. tests/scripts/mailserver
make_ca
make_cert good localhost
make_cert old localhost expired
make_cert other mail.example.org
start_dovecot good
start_postfix localhost good
openssl genpkey -algorithm rsa -pkeyopt rsa_keygen_bits:2048 -out "$dir/rsa.pem" 2>/dev/null
openssl genpkey -algorithm ed25519 -out "$dir/ed25519.pem" 2>/dev/null
printf 'geheim pass\n' >"$dir/password"
printf 'zip-password-1\n' >"$dir/logo1"
chmod 600 "$dir/password" "$dir/logo1" "$dir/rsa.pem" "$dir/ed25519.pem"
make_smime security-action-info@sa.example.jp
/usr/bin/python3 tests/peers/mailserver.py "$build/sengend" "$build/sengenctl" "$dir" "$smtp_port" "$imap_port"
