/ip firewall address-list
add list=bad address=192.0.2.1
add list=vpn address=198.51.100.7
