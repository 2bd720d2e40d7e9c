<?php
$bad = array('192.0.2.9');
