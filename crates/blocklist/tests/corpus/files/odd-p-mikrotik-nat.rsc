/ip firewall nat
add chain=srcnat src-address=192.0.2.9 action=masquerade
