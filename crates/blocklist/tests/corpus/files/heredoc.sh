cat > /etc/allow <<EOF
192.0.2.1
198.51.100.7
EOF
