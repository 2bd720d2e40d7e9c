/ip firewall address-list
add address=192.0.2.9 list=whitelist
