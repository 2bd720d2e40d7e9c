/ip firewall address-list
add list=allow address=192.0.2.9
add list=block address=198.51.100.4
