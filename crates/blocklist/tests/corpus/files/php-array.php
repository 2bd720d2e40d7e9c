<?php
$whitelist = array('192.0.2.1','198.51.100.7');
