/ip firewall address-list
add list=vpn address=192.0.2.9
add list=ban address=198.51.100.4
