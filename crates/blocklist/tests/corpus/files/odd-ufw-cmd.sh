ufw deny from 192.0.2.9
ufw allow from 198.51.100.0/24
