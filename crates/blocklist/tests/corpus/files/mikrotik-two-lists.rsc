/ip firewall address-list
add list=one address=192.0.2.0/24
add list=two address=198.51.100.7
