# ZoneMinder 1.36 of Debian with its database and web server, for
# TestLongZoneMinder. To be run in mounts and processes of its own (unshare):
# ZoneMinder reads /etc/zm and nothing else, so what it reads and writes is laid
# over there, in memory, and goes away with the last process.
#
# Wants PORT of the web server, FEED1 and FEED2 of the cameras, VIEWER and PASSWORD.
set -euo pipefail
export TZ=Europe/Rome LC_ALL=C.UTF-8
database="--no-defaults --socket=/run/zm/database.sock"

for place in /tmp /dev/shm /run/zm /var/cache/zoneminder /var/log/zm; do mount -t tmpfs tmpfs $place; done
mkdir -m 1777 /tmp/zm /tmp/database /tmp/etc
cp -r /etc/zm/. /tmp/etc
echo ZM_DB_HOST=localhost:/run/zm/database.sock >/tmp/etc/conf.d/09-own-database.conf
mount --bind /tmp/etc /etc/zm
mkdir /var/cache/zoneminder/{events,images,temp}
chown -R www-data /etc/zm /run/zm /var/cache/zoneminder /var/log/zm /dev/shm
chmod 777 /run/zm

small="--no-defaults --user=mysql --datadir=/tmp/database --innodb-log-file-size=8M"
mariadb-install-db $small --skip-test-db >/tmp/install.log 2>&1 || { cat /tmp/install.log; exit 1; }
mariadbd $small --socket=/run/zm/database.sock --pid-file=/tmp/database.pid --skip-networking --innodb-flush-log-at-trx-commit=0 2>/tmp/database.log &
until mariadb-admin $database ping >/dev/null 2>&1; do
  kill -0 $! || { cat /tmp/database.log; exit 1; }
  sleep 0.1
done
mariadb $database </usr/share/zoneminder/db/zm_create.sql
camera="StorageId=1, Type='Ffmpeg', Width=320, Height=240, Colours=4, SaveJPEGs=0, VideoWriter=2, SectionLength=20"
mariadb $database zm <<SQL
CREATE USER zmuser@localhost IDENTIFIED BY 'zmpass';
GRANT ALL ON zm.* TO zmuser@localhost;
UPDATE Config SET Value=1 WHERE Name='ZM_OPT_USE_AUTH';
UPDATE Config SET Value='not to be read' WHERE Name='ZM_AUTH_HASH_SECRET';
UPDATE Config SET Value=0 WHERE Name IN ('ZM_TELEMETRY_DATA', 'ZM_CHECK_FOR_UPDATES', 'ZM_MIN_RTSP_PORT');
INSERT INTO Users SET Username='$VIEWER', Password=PASSWORD('$PASSWORD'), Events='View', Monitors='View', System='None', APIEnabled=1;
INSERT INTO Monitors SET Id=1, Name='Ingresso Via Roma', \`Function\`='Record', Path='udp://127.0.0.1:$FEED1?overrun_nonfatal=1', $camera;
INSERT INTO Monitors SET Id=2, Name='Cortile retro', \`Function\`='Modect', Path='udp://127.0.0.1:$FEED2?overrun_nonfatal=1', $camera;
INSERT INTO Zones SET MonitorId=2, Name='All', Type='Active', NumCoords=4, Coords='0,0 319,0 319,239 0,239', Area=76800,
  CheckMethod='AlarmedPixels', MinPixelThreshold=40, MinAlarmPixels=100;
INSERT INTO Filters SET Name='Cancella dopo 3 giorni', UserId=1, AutoDelete=1, Background=1,
  Query_json='{"terms":[{"attr":"EndDateTime","op":"<","val":"-3 day"}],"limit":100,"sort_field":"Id","sort_asc":1}';
INSERT INTO Filters SET Name='Cortile: 12 ore', UserId=1, AutoDelete=1, Background=1,
  Query_json='{"terms":[{"attr":"MonitorName","op":"=","val":"Cortile retro"},{"cnj":"and","attr":"StartDateTime","op":"<","val":"-12 hour"}],"limit":100,"sort_field":"Id","sort_asc":1}';
INSERT INTO Events SET Id=1000, MonitorId=1, StorageId=1, Name='kept by hand', Archived=1, StateId=1, StartDateTime=NOW() - INTERVAL 2 DAY, EndDateTime=NOW() - INTERVAL 2 DAY;
SQL

# Debian's own apache.conf for ZoneMinder, without which every call of its API is 404.
cat >/tmp/web.conf <<CONF
ServerRoot /usr/lib/apache2
ServerName 127.0.0.1
PidFile /tmp/web.pid
ErrorLog /dev/stderr
Listen 127.0.0.1:$PORT
User www-data
Group www-data
LoadModule mpm_prefork_module modules/mod_mpm_prefork.so
LoadModule authz_core_module modules/mod_authz_core.so
LoadModule alias_module modules/mod_alias.so
LoadModule dir_module modules/mod_dir.so
LoadModule rewrite_module modules/mod_rewrite.so
LoadModule php_module $(echo /usr/lib/apache2/modules/libphp*.so)
<FilesMatch "\.php$">
  SetHandler application/x-httpd-php
</FilesMatch>
php_admin_value date.timezone $TZ
php_admin_value session.save_path /tmp
DocumentRoot /usr/share/zoneminder/www
DirectoryIndex index.php
Alias /zm /usr/share/zoneminder/www
<Directory /usr/share/zoneminder/www>
  Options +FollowSymLinks
  Require all granted
</Directory>
<Directory /usr/share/zoneminder/www/api>
  RewriteEngine on
  RewriteBase /zm/api
  RewriteRule ^$ app/webroot/ [L]
  RewriteRule (.*) app/webroot/\$1 [L]
</Directory>
<Directory /usr/share/zoneminder/www/api/app>
  RewriteEngine on
  RewriteBase /zm/api
  RewriteRule ^$ webroot/ [L]
  RewriteRule (.*) webroot/\$1 [L]
</Directory>
<Directory /usr/share/zoneminder/www/api/app/webroot>
  RewriteEngine on
  RewriteBase /zm/api
  RewriteCond %{REQUEST_FILENAME} !-d
  RewriteCond %{REQUEST_FILENAME} !-f
  RewriteRule ^ index.php [L]
</Directory>
CONF
setpriv --reuid=www-data --regid=www-data --clear-groups zmpkg.pl start
exec apache2 -E /dev/stderr -f /tmp/web.conf -DFOREGROUND
