ufw deny from 192.0.2.9
ufw insert 1 deny from 198.51.100.0/24 to any
