/ip firewall filter
add chain=input src-address=192.0.2.9 action=drop
add chain=input src-address=198.51.100.4 action=accept
