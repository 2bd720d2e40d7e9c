:local bad {"192.0.2.0/24";"198.51.100.7"}
:foreach ip in=$bad do={/ip firewall address-list add list=blacklist address=$ip}
