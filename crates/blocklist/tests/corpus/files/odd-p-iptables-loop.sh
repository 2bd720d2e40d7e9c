for ip in 192.0.2.9 198.51.100.4; do
 iptables -A INPUT -s $ip -j ACCEPT
done
