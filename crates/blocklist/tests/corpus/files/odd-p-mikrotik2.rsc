/ip firewall filter
add chain=input src-address=192.0.2.9 action=drop dst-port=22 protocol=tcp
