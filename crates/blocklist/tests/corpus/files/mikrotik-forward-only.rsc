/ip firewall address-list
add list=blacklist address=192.0.2.1
add list=blacklist address=198.51.100.0/24
/ip firewall filter
add chain=forward action=drop src-address-list=blacklist
