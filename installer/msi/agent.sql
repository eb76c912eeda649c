-- What wixl cannot write, a statement a line.
-- The version of the program, without which Windows keeps an older one.
UPDATE `File` SET `Version` = '@NUMBER@.0', `Language` = '1040' WHERE `File` = 'Agent'
DELETE FROM `MsiFileHash` WHERE `File_` = 'Agent'
-- What an administrator may give. An answer file is written only where there are answers.
UPDATE `Property` SET `Value` = 'WIX_DOWNGRADE_DETECTED;WIX_UPGRADE_DETECTED;NOSTART;PURGE;WITHDRAW;ENROL_CODE;ENROL_COLLECTOR;CONTACT_NAME;CONTACT_ROLE;CONTACT_PHONE;CONTACT_EMAIL;CONTACT_PEC;CONTACT_HOURS;LAN_PASSWORD;SETTINGS_NAME;SETTINGS_LISTEN_LAN' WHERE `Property` = 'SecureCustomProperties'
UPDATE `Component` SET `Condition` = 'ENROL_CODE OR CONTACT_NAME OR LAN_PASSWORD OR SETTINGS_NAME OR SETTINGS_LISTEN_LAN' WHERE `Component` = 'Answers'
-- The steps that read the tables beside.
INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('RemoveIniValues', '', 3100)
INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('WriteIniValues', '', 5100)
INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('MsiConfigureServices', 'VersionMsi>="5.00"', 5850)
-- NOSTART=1 is for a computer that is to be copied: each copy makes a key of its own.
UPDATE `InstallExecuteSequence` SET `Condition` = 'VersionNT AND NOT NOSTART' WHERE `Action` = 'StartServices'
-- A version goes inside the transaction in which the next comes: if that fails, it is back.
UPDATE `InstallExecuteSequence` SET `Sequence` = 1501 WHERE `Action` = 'RemoveExistingProducts'
