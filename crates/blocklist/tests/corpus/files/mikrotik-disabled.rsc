/ip firewall address-list
add list=blacklist address=192.0.2.0/24
add list=blacklist address=198.51.100.7 disabled=yes
