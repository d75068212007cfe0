# Planted passwords and keys are nowhere but in locked memory that no core file holds: not in a log, a command line, an environment, what sengenctl
# prints, the register, the spool, another process or a core file.
. tests/scripts/lib
. tests/scripts/mailserver
make_ca
make_cert good localhost
make_smime security-action-info@sa.example.jp
start_dovecot good
start_postfix localhost good
openssl genpkey -algorithm rsa -pkeyopt rsa_keygen_bits:2048 -out "$dir/rsa.pem" 2>/dev/null
openssl genpkey -algorithm ed25519 -out "$dir/ed25519.pem" 2>/dev/null
printf 'geheim pass\n' >"$dir/password"
printf 'Zip-Planted-Secret-77\n' >"$dir/logo1"
openssl rand -hex 32 >"$dir/credential"
chmod 600 "$dir/password" "$dir/logo1" "$dir/credential" "$dir/rsa.pem" "$dir/ed25519.pem"
/usr/bin/python3 tests/peers/secrets.py "$build/sengend" "$build/sengenctl" "$dir" "$smtp_port" "$imap_port"
