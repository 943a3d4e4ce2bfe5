-- Settings: the new names, and what the old ones say. Before the library is loaded the server takes any name, and says so then.
SET grnet.threads = 3;
SELECT grnet_score(NULL, NULL);
SET grnet.enable_rank = off;
SET grnet.feature_numbers = 'i8';
SET grnet.precision = 'bf16';
SET LOCAL grnet.device = 'cpu';
ALTER DATABASE regression SET grnet.threads = 2;
SELECT set_config('grnet.max_queue', '7', false);
SHOW grnet.max_batch;
RESET grnet.enable_rank;
-- What nobody knows is refused, too.
SET grnet.shortlst = 7;
SET grnet.feature_dtype = 'f8';
-- The list of all has the new ones only.
SELECT name, setting, unit, context FROM pg_settings WHERE name LIKE 'grnet.%' AND name NOT LIKE '%program' ORDER BY name;
