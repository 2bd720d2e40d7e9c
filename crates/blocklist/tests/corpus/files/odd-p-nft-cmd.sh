nft add rule ip f i ip saddr 192.0.2.9 drop
nft insert rule ip f i ip saddr 192.0.2.9 accept
