---@meta uwsgi
-- The `uwsgi` table of Lua guests. Generated from the API table by `npm run gen`; do not edit.

---@class uwsgi.WorkerApp
---@field id integer
---@field modifier1 integer
---@field mountpoint string
---@field startup_time integer
---@field requests integer
---@field exceptions integer
---@field chdir string

---@class uwsgi.Worker
---@field id integer
---@field pid integer
---@field requests integer
---@field delta_requests integer
---@field signals integer
---@field exceptions integer
---@field status string
---@field rss integer
---@field vsz integer
---@field running_time integer
---@field last_spawn integer
---@field respawn_count integer
---@field tx integer
---@field avg_rt integer
---@field apps uwsgi.WorkerApp[]

---@class uwsgi
uwsgi = {}

--- The server's version, for example `0.1.0`. Differs from uWSGI: it is the version of polywsgi.
---@type string
uwsgi.version = nil

--- The version as numbers, to be compared: (0, 1, 0). Differs from uWSGI: there are three.
---@type integer[]
uwsgi.version_info = nil

--- The host name of the machine the server runs on.
---@type string
uwsgi.hostname = nil

--- The number of the worker that runs this code, from 1; 0 outside workers, and in a spare one (`spare`) until it stands for a worker.
---@return integer
function uwsgi.worker_id() end
uwsgi.mywid = uwsgi.worker_id

--- The process id of the master. Workers are threads of the master, so it is also the id of this process.
---@return integer
function uwsgi.masterpid() end
uwsgi.pid = uwsgi.masterpid

--- The number of the mule that runs this code, from 1; 0 outside mules.
---@return integer
function uwsgi.mule_id() end
uwsgi.mymid = uwsgi.mule_id

--- True in a spooler, not_defined everywhere else.
---@return true|nil
function uwsgi.i_am_the_spooler() end
uwsgi.i_am_a_spooler = uwsgi.i_am_the_spooler

--- Writes one line to the server's log. Differs from uWSGI: Lua gets true for it, not nothing.
---@param message string The line to write; a newline is added. Its bytes are written as they are.
---@return true
function uwsgi.log(message) end

--- Has this request's line logged, `--disable-logging` or not.
---@return nil
function uwsgi.log_this_request() end

--- The options as given, unknown ones of a configuration file included. An option given more than once is a list of its values. An option given without a value is true. Differs from uWSGI: repeated options are kept (uWSGI on Python 3 loses all but the last).
---@type table<string, string|true|(string|true)[]>
uwsgi.opt = nil

--- The value of a key. Not_defined for a missing key, an unknown cache, or a server that does not answer.
--- Differs from uWSGI: an item that has expired is never returned, whether it was swept out or not.
---@param key string The key: up to `keysize` bytes.
---@param cache? string The name of a cache; `name@address` and `@address` for one of another server; not given: the first one.
---@return string|nil
function uwsgi.cache_get(key, cache) end

--- Whether there is an item of that key: true, or not_defined, as for an unknown cache, or a server that does not answer.
---@param key string The key: up to `keysize` bytes.
---@param cache? string The name of a cache; `name@address` and `@address` for one of another server; not given: the first one.
---@return true|nil
function uwsgi.cache_exists(key, cache) end

--- Adds an item. Not_defined, with nothing changed, for a key that exists, an empty or too long key or value, a full cache, an unknown cache, or a server that does not answer.
---@param key string The key: up to `keysize` bytes.
---@param value string The value: up to `blocksize` bytes, with `bitmap` of several blocks.
---@param expires? integer When the item is over, from now; 0 never.
---@param cache? string The name of a cache; `name@address` and `@address` for one of another server; not given: the first one.
---@return true|nil
function uwsgi.cache_set(key, value, expires, cache) end

--- Adds an item, or gives one that exists another value and another expiry. Not_defined, with nothing changed, for
--- an empty or too long key or value, a full cache, an unknown cache, or a server that does not answer.
---@param key string The key: up to `keysize` bytes.
---@param value string The value: up to `blocksize` bytes, with `bitmap` of several blocks.
---@param expires? integer When the item is over, from now; 0 never.
---@param cache? string The name of a cache; `name@address` and `@address` for one of another server; not given: the first one.
---@return true|nil
function uwsgi.cache_update(key, value, expires, cache) end

--- Removes an item. Not_defined for a missing key, an unknown cache, or a server that does not answer.
---@param key string The key: up to `keysize` bytes.
---@param cache? string The name of a cache; `name@address` and `@address` for one of another server; not given: the first one.
---@return true|nil
function uwsgi.cache_del(key, cache) end

--- Adds to the number that an item is (`cache_num`). A missing item begins as `math_initial`; numbers have 64 bits, a sign, and wrap. Not_defined, with nothing changed,
--- for a value that is not of 8 bytes, a full cache, an unknown cache. Differs from uWSGI: such a value is not cut to 8 bytes,
--- and a remote cache is refused, where uWSGI overwrites its item.
---@param key string The key: up to `keysize` bytes.
---@param n? integer By how much.
---@param expires? integer When an item that the call creates is over, from now; 0 never. One that exists keeps its own.
---@param cache? string The name of a cache; not given: the first one.
---@return true|nil
function uwsgi.cache_inc(key, n, expires, cache) end

--- Subtracts from the number that an item is (`cache_num`). A missing item begins as `math_initial`; numbers have 64 bits, a sign, and wrap. Not_defined, with nothing changed,
--- for a value that is not of 8 bytes, a full cache, an unknown cache. Differs from uWSGI: such a value is not cut to 8 bytes,
--- and a remote cache is refused, where uWSGI overwrites its item.
---@param key string The key: up to `keysize` bytes.
---@param n? integer By how much.
---@param expires? integer When an item that the call creates is over, from now; 0 never. One that exists keeps its own.
---@param cache? string The name of a cache; not given: the first one.
---@return true|nil
function uwsgi.cache_dec(key, n, expires, cache) end

--- Multiplies the number that an item is (`cache_num`). A missing item begins as `math_initial`; numbers have 64 bits, a sign, and wrap. Not_defined, with nothing changed,
--- for a value that is not of 8 bytes, a full cache, an unknown cache. Differs from uWSGI: such a value is not cut to 8 bytes,
--- and a remote cache is refused, where uWSGI overwrites its item.
---@param key string The key: up to `keysize` bytes.
---@param n? integer By how much.
---@param expires? integer When an item that the call creates is over, from now; 0 never. One that exists keeps its own.
---@param cache? string The name of a cache; not given: the first one.
---@return true|nil
function uwsgi.cache_mul(key, n, expires, cache) end

--- Divides the number that an item is (`cache_num`), towards zero; by zero it becomes 0. A missing item begins as `math_initial`; numbers have 64 bits, a sign, and wrap. Not_defined, with nothing changed,
--- for a value that is not of 8 bytes, a full cache, an unknown cache. Differs from uWSGI: such a value is not cut to 8 bytes,
--- and a remote cache is refused, where uWSGI overwrites its item.
---@param key string The key: up to `keysize` bytes.
---@param n? integer By how much.
---@param expires? integer When an item that the call creates is over, from now; 0 never. One that exists keeps its own.
---@param cache? string The name of a cache; not given: the first one.
---@return true|nil
function uwsgi.cache_div(key, n, expires, cache) end

--- The number that an item is: its value as 8 bytes in the machine's order. 0 for a missing key, for a value of another
--- size, for an unknown cache, or a server that does not answer.
---@param key string The key: up to `keysize` bytes.
---@param cache? string The name of a cache; `name@address` and `@address` for one of another server; not given: the first one.
---@return integer
function uwsgi.cache_num(key, cache) end
uwsgi.cache_getnum = uwsgi.cache_num

--- Removes every item of a cache. Not_defined for an unknown cache, or a server that does not answer.
---@param cache? string The name of a cache; `name@address` and `@address` for one of another server; not given: the first one.
---@return true|nil
function uwsgi.cache_clear(cache) end

--- The keys of all items of a cache of this server, as they are at one moment, in no order.
---@param cache? string The name of a cache; not given: the first one.
---@return string[]
function uwsgi.cache_keys(cache) end

--- Takes a lock, waiting for whoever holds it. It is kept until `unlock`, past the end of the request too, and freed when
--- its holder is ended. Differs from uWSGI: taking a lock one holds is an error, and does not hang.
---@param num? integer Which lock: 0, and as many more as `--locks` says.
---@param timeout? number How long to wait; not given: for as long as it takes. uWSGI has no such argument.
---@return nil
function uwsgi.lock(num, timeout) end

--- Gives a lock back. A lock that nobody holds stays free. Differs from uWSGI: a lock that another worker holds is not
--- taken from it.
---@param num? integer Which lock: 0, and as many more as `--locks` says.
---@return nil
function uwsgi.unlock(num) end

--- Whether anybody holds a lock. Differs from uWSGI: it never takes the lock of a worker that has died.
---@param num? integer Which lock: 0, and as many more as `--locks` says.
---@return boolean
function uwsgi.is_locked(num) end

--- Raises a signal: it goes to the master, which hands it to the receiver it was registered with. Does not wait for the
--- handler; a signal for which there is no room is dropped and logged. With `node`, waits until that server has taken it.
--- Differs from uWSGI: a signum out of range is refused, not taken modulo 256, and a signal raised while apps load is not lost.
---@param signum integer The signal.
---@param node? string Another server, `host:port` or the path of a UNIX socket.
---@return nil
function uwsgi.signal(signum, node) end

--- Registers the handler of a signal, and who is to run it. To be done while the app loads, in every thread; the same
--- number twice in one load is refused. Later registrations replace.
--- Differs from uWSGI: a kind of no known form is refused here, not when the signal comes; mules and
--- spoolers may register; a registration made while serving changes the receiver for the whole server.
---@param signum integer The signal.
---@param kind string Who runs the handler: `""` or `worker` (any worker), `workers`, `active-workers`, `worker2`, `mule` (any mule), `mules`, `mule1`, `farm_NAME`, `farm1`, `spooler`, `subscribed` (nobody).
---@param handler fun(signum: integer): any Called with the number of the signal.
---@return nil
function uwsgi.register_signal(signum, kind, handler) end

--- Whether this thread has a handler for the signal: true, or nothing.
---@param signum integer The signal.
---@return true|nil
function uwsgi.signal_registered(signum) end

--- Waits for a signal that this thread receives. Handlers of all signals that come meanwhile run, that of the awaited
--- one included. Returns nothing but empty bytes; `signal_received` tells which it was.
---@param signum? integer The signal to wait for; not given: any.
---@return string
function uwsgi.signal_wait(signum) end

--- The signal this thread received last; 0 before the first.
---@return integer
function uwsgi.signal_received() end

--- Raises a signal every so many seconds. Times that were missed are one.
--- One made while apps load counts once, whatever number of threads, respawns and reloads repeat it.
--- Differs from uWSGI: a negative period is refused.
---@param signum integer The signal to raise.
---@param seconds integer The period; the first signal comes after it. 0 never fires.
---@return nil
function uwsgi.add_timer(signum, seconds) end

--- As `add_timer`, with a period in milliseconds.
--- One made while apps load counts once, whatever number of threads, respawns and reloads repeat it.
---@param signum integer The signal to raise.
---@param milliseconds integer The period; the first signal comes after it. 0 never fires.
---@return nil
function uwsgi.add_ms_timer(signum, milliseconds) end

--- Raises a signal every so many seconds, so many times.
--- One made while apps load counts once, whatever number of threads, respawns and reloads repeat it.
--- Differs from uWSGI: it is as exact as `add_timer`, not to the second, and gives its place back when it has fired for the
--- last time. With neither a period nor an end it fires each second, as in uWSGI.
---@param signum integer The signal to raise.
---@param seconds integer The period; the first signal comes after it. With 0 it comes at once.
---@param iterations? integer How many signals there will be; 0 for ever.
---@return nil
function uwsgi.add_rb_timer(signum, seconds, iterations) end

--- Raises a signal in each minute of local time that fits; with both a day and a week, when either fits. A minute that
--- fits right now counts.
--- One made while apps load counts once, whatever number of threads, respawns and reloads repeat it.
--- Differs from uWSGI: values no calendar has are refused, and signals come at the beginning of their minute.
---@param signum integer The signal to raise.
---@param minute integer 0 to 59; -1 any, -N every minute that N divides.
---@param hour integer 0 to 23; negative as above.
---@param day integer Of the month, 1 to 31; negative as above.
---@param month integer 1 to 12; negative as above.
---@param week integer Day of the week, Sunday 0 or 7; negative as above.
---@return true
function uwsgi.add_cron(signum, minute, hour, day, month, week) end

--- Raises a signal whenever the file or directory changes.
--- One made while apps load counts once, whatever number of threads, respawns and reloads repeat it.
--- Differs from uWSGI: a path that is not there is refused, and a file that is replaced, as editors do, is still watched.
---@param signum integer The signal to raise.
---@param path string A file, or a directory, of which what lies in it counts, but not deeper.
---@return nil
function uwsgi.add_file_monitor(signum, path) end

--- Makes a function callable by name: from every language and thread of this server, and from other servers.
--- A name that is there already is given to the new function. Differs from uWSGI: `argc` is enforced, mules and spoolers may
--- register too, and what one thread alone registers is found by the others.
---@param name string The name under which it is called.
---@param function_ fun(...: string): any Takes bytes, answers with bytes or text, or nothing.
---@param argc? integer How many arguments it takes; 0: any number.
---@return true
function uwsgi.register_rpc(name, function_, argc) end

--- Calls a function of another server, or of this one, and waits for its answer.
--- Not defined when there is no such function, when it answered nothing, and when another server cannot be reached in
--- `socket-timeout` seconds or says nothing. Differs from uWSGI: a function of this server that raises makes the call raise,
--- and an empty answer is an answer; name and arguments may be text in Python too, and a missing or wrong one is a TypeError.
---@param node? string Another server, as `host:port`, a unix path or `@name`; none: this one.
---@param name string Which function.
---@param ... string Up to 254 arguments; to another server, 65535 bytes in all.
---@return string|nil
function uwsgi.rpc(node, name, ...) end

--- Calls a function of this server: in this thread when it is registered here, else of the embedding program, else in
--- another thread. Not defined when there is none of that name, or it answered nothing.
--- Differs from uWSGI: name and arguments may be text in Python too, and a missing or wrong one is a TypeError.
---@param name string Which function.
---@param ... string Up to 254 arguments.
---@return string|nil
function uwsgi.call(name, ...) end

--- The names of the functions registered in this thread.
---@return string[]
function uwsgi.rpc_list() end

--- Sends a message to a mule, and does not wait for it. True: it is on its way; false: the queue is full.
--- Messages wait in memory, and are lost when the server stops.
--- Differs from uWSGI: a message of more than 65536 bytes is refused, not cut, and a mule that does not exist is an error.
---@param message string What to send.
---@param target? integer|string A mule's number, or a farm's name for one mule of it. Not given, or 0: any mule.
---@return boolean
function uwsgi.mule_msg(message, target) end

--- Sends a message to one mule of a farm. When its queue is full the message is dropped, with a line in the log.
--- Differs from uWSGI: an unknown farm is an error, not passed over in silence.
---@param farm string The farm's name.
---@param message string What to send.
---@return nil
function uwsgi.farm_msg(farm, message) end

--- Waits for a message to this mule, to any mule, or to one of its farms. Empty bytes when the time is up.
--- For mules with programs of their own; others have `mule_msg_hook`.
--- Differs from uWSGI: `signals` means what it says, there it is the wrong way round; and `timeout` may be a fraction.
---@param signals? boolean Run the handlers of signals that come meanwhile.
---@param farms? boolean Also take messages to the mule's farms.
---@param buffer_size? integer A longer message is cut.
---@param timeout? number How long to wait; below 0: for ever.
---@return string
function uwsgi.mule_get_msg(signals, farms, buffer_size, timeout) end
uwsgi.mule_msg_get = uwsgi.mule_get_msg

--- Waits for a message to one of this mule's farms, for ever. Signals wait until it is back.
--- Differs from uWSGI: a mule without a farm gets an error instead of no message ever.
---@return string
function uwsgi.farm_get_msg() end

--- Whether this thread is a mule of the farm: true, or nothing.
---@param farm? string The farm's name; not given: any farm.
---@return true|nil
function uwsgi.in_farm(farm) end

--- Called in a mule without a program of its own for every message. One at a time: the next message waits.
--- An exception is logged, and the mule goes on.
---@type fun(message: string)
uwsgi.mule_msg_hook = nil

--- Called in each worker, mule and spooler when its apps are loaded, before it begins its work.
--- In a mule it may never return: it is then the mule's own program.
--- Differs from uWSGI: apps are loaded by each thread, so it runs after them, not right after a fork.
---@type fun()
uwsgi.post_fork_hook = nil

--- Called in a worker after each request, when its response is on its way. An exception is logged.
---@type fun()
uwsgi.after_req_hook = nil

--- Called in each thread at its clean end: a stop or a reload, not when it is ended for overrunning.
---@type fun()
uwsgi.atexit = nil

--- What a `spooler` function returns when a job is done: its file is removed.
---@type integer
uwsgi.SPOOL_OK = nil

--- What a `spooler` function returns to be given the job again later.
---@type integer
uwsgi.SPOOL_RETRY = nil

--- What a `spooler` function returns for a job that is not its own: the next language is asked.
---@type integer
uwsgi.SPOOL_IGNORE = nil

--- The spoolers' directories, as absolute paths. The first one takes jobs that name none.
---@type string[]
uwsgi.spoolers = nil

--- Writes a job to disk and wakes the spooler. When this returns the job outlives the server. Returns its path.
--- Differs from uWSGI: values that are too long are refused, not cut, and a `priority` must be a number.
---@param job table<string, string|number> Names to values. `body`: bytes of any length. `at`: when to run it, in seconds since 1970. `priority`: a number. `spooler`: a directory.
---@return string
function uwsgi.spool(job) end
uwsgi.send_to_spooler = uwsgi.spool

--- How often spoolers look into their directories without being woken (`spooler-frequency`).
---@param seconds integer From now on, of all spoolers.
---@return true
function uwsgi.set_spooler_frequency(seconds) end

--- The paths of all jobs that are on disk, due or not, in the order of their priorities and their submission.
--- Differs from uWSGI: those with a priority are listed too.
---@return string[]
function uwsgi.spooler_jobs() end

--- A job as the `spooler` function gets it: its variables, `spooler_task_name`, and `body` when it has one.
--- Nothing when there is no such job.
--- Differs from uWSGI: only files in the spoolers' directories are read.
---@param path string As `spool` or `spooler_jobs` gave it.
---@return table<string, string>|nil
function uwsgi.spooler_get_task(path) end

--- The process id of the first spooler; 0 without one. Spoolers are threads of the master, so it is the id of this process.
---@return integer
function uwsgi.spooler_pid() end

--- The process id of each spooler: the same number, once per spooler.
---@return integer[]
function uwsgi.spooler_pids() end

--- Called in the spooler with each job; returns SPOOL_OK, SPOOL_RETRY or SPOOL_IGNORE. Anything else keeps the job.
--- A job that is kept is run again after 1 second, then 2, 4... at most `spooler-frequency`, or 5 minutes after an exception.
--- The function may be ended in the middle, and the job is then run again: it must bear to be run twice.
--- Differs from uWSGI: after `spooler-max-tries` exceptions in a row the job is moved to `failed/` in its directory.
--- A file that is no job is moved there too, not deleted.
---@type fun(env: table<string, string>): integer
uwsgi.spooler = nil

--- Raises an alarm and does not wait for it: the master delivers it, and what goes wrong then is a line in the log.
--- The same message again within `alarm-freq` seconds is dropped.
--- Differs from uWSGI: an unknown alarm is an error, and a message that is too long is cut; it drops both in silence.
---@param name string As the option `alarm` defines it.
---@param message string What to say; at most `alarm-msg-size` bytes of it are delivered.
---@return nil
function uwsgi.alarm(name, message) end

--- Waits for what the request has registered by `async_sleep`, `wait_fd_read` and `wait_fd_write`: the first of it ends the
--- wait, and all of it is forgotten. With nothing registered each other core gets a turn. With one core, and outside of requests,
--- the thread waits. Differs from uWSGI: without anything registered it hangs there, and does not wait with one core.
---@return true
function uwsgi.suspend() end
uwsgi.green_schedule = uwsgi.suspend

--- Has the next `suspend`, or the next chunk of the body that is yielded, wait so long at most. Of several times the
--- earliest counts. Differs from uWSGI: fractions of a second count, and it works with one core too.
---@param seconds number How long; nothing is registered for 0 and less.
---@return string
function uwsgi.async_sleep(seconds) end

--- Begins a connection and gives its descriptor at once. It can be written to when it is there, or has failed:
--- `is_connected` tells which. `socket-timeout` ends the attempt. Differs from uWSGI: what fails at once raises, where it returns
--- -1; host names and IPv6 addresses work too.
---@param address string `host:port`, the path of a unix socket, or `@name`.
---@return integer
function uwsgi.async_connect(address) end

--- Has the next `suspend`, or the next chunk of the body that is yielded, wait until something can be read, or the other side
--- has closed. Several descriptors may be waited for; `ready_fd` then says which it is. Differs from uWSGI: fractions of a second
--- count, and one descriptor may be waited for in both directions.
---@param fd integer A connection, or the client's.
---@param timeout? number How long to wait; 0: for as long as it takes.
---@return string
function uwsgi.wait_fd_read(fd, timeout) end

--- Has the next `suspend`, or the next chunk of the body that is yielded, wait until something can be written, or the
--- connection has failed. See `wait_fd_read`.
---@param fd integer A connection, or the client's.
---@param timeout? number How long to wait; 0: for as long as it takes.
---@return string
function uwsgi.wait_fd_write(fd, timeout) end

--- The descriptor that has ended the request's last wait; -1 when its time did, and before the first. Differs from uWSGI:
--- it tells the descriptor in every style of app.
---@return integer
function uwsgi.ready_fd() end

--- The number of the core that serves the request, from 0.
---@return integer
function uwsgi.async_id() end
uwsgi.async_id_get = uwsgi.async_id

--- The number of the client's connection, for `send`, `recv`, `close` and `is_connected`. It stays the same after a
--- disconnect. Differs from uWSGI: it is a number of this server's own, no descriptor of the system.
---@return integer
function uwsgi.connection_fd() end

--- Sends bytes as they are: `send(data)` to the client, `send(fd, data)` to a connection. Not defined when the
--- other side is gone. To a client that has not got its headers yet, the bytes are the response: none are sent, what is returned
--- or written later follows as it is, and the connection closes at the end. Differs from uWSGI: all bytes are sent, not as many
--- as fit, and a descriptor that is none of the caller's raises.
---@param fd_or_data integer|string A descriptor; or the bytes, for the client.
---@param data? string The bytes, after a descriptor.
---@return true|nil
function uwsgi.send(fd_or_data, data) end

--- Reads at least one byte: `recv(max)` of the body that the client sends, `recv(fd, max)` of a connection. Not
--- defined at the end. Differs from uWSGI: one number is a length (there it is a descriptor), and a silence raises.
---@param fd_or_max integer A descriptor, before `max`; or the most bytes to be read from the client.
---@param max? integer The most bytes, after a descriptor.
---@return string|nil
function uwsgi.recv(fd_or_max, max) end

--- Closes a connection; with the number of the client's, disconnects it. A number that is not the
--- caller's is ignored.
---@param fd integer The descriptor.
---@return nil
function uwsgi.close(fd) end

--- Opens a connection and gives its descriptor. It belongs to the request, and is closed with it, which is logged; one that
--- is opened outside of requests belongs to the thread. `--allow-connect` says where to. Differs from uWSGI: a failure raises,
--- where it returns -1, and host names and IPv6 addresses work too; there descriptors stay open, and serve every request.
---@param address string `host:port`, the path of a unix socket, or `@name`.
---@param timeout? number How long to wait for the connection.
---@return integer
function uwsgi.connect(address, timeout) end

--- Whether a connection, or the client's, can still be used. False for a number that is none of the caller's. A connection
--- under way counts until it has failed.
---@param fd integer The descriptor.
---@return boolean
function uwsgi.is_connected(fd) end

--- Closes the client's connection now, after what was written; headers that were not sent never are. The code goes on, what
--- it writes fails, and what it returns is dropped. The request's body can no longer be read.
---@return nil
function uwsgi.disconnect() end

--- How many requests this worker has served so far: 0 during the first, one more in `after_req_hook`. 0 outside
--- workers.
---@return integer
function uwsgi.request_id() end

--- Bytes of the body of the request that is being served, as its head announces them; 0 for none.
---@return integer
function uwsgi.cl() end

--- Makes a file the response's body, under the status and headers that the app gives; what the app writes is dropped. It
--- is sent without the worker once the handler is done. With status 200, type, length, date and ranges are seen to. Allowed are the
--- directories of the app, `--pythonpath`, `--static-safe` and static files. Not_defined: there is no such file to be read.
--- Differs from uWSGI: it takes no descriptor, and sends nothing before the handler has returned.
---@param filename string The file: absolute, or from the server's working directory.
---@param chunk? integer Has no effect.
---@param pos? integer Where to begin.
---@param size? integer How much to send; 0: all there is.
---@return true|nil
function uwsgi.sendfile(filename, chunk, pos, size) end

--- Sets a variable for this request's log line, where `--log-format` has %(name). Differs from uWSGI: what is longer than
--- 255 bytes is an error, and not dropped silently.
---@param name string The name of the variable.
---@param value string What the log line is to show.
---@return nil
function uwsgi.set_logvar(name, value) end

--- A variable that `set_logvar` has set for this request; not_defined for any other.
---@param name string The name of the variable.
---@return string|nil
function uwsgi.get_logvar(name) end

--- How many workers there are (`--workers`).
---@type integer
uwsgi.numproc = nil

--- How many requests one worker may hold at once (`--async`).
---@type integer
uwsgi.cores = nil

--- Whether applications can start threads: 0, since no interpreter here has any. As in uWSGI it is a number.
---@type integer
uwsgi.has_threads = nil

--- Bytes a request's variables may have together (`--buffer-size`).
---@type integer
uwsgi.buffer_size = nil

--- When the server started, in seconds since the epoch.
---@type integer
uwsgi.started_on = nil

--- Whether this code was loaded by a reload of the server, and not by its start.
---@type boolean
uwsgi.is_a_reload = nil

--- What every worker is doing and has done. `status` is idle, busy, or sig17 in the handler of signal 17; times are in
--- microseconds, `tx` and memory in bytes. Differs from uWSGI: workers are threads, so `pid`, `rss` and `vsz` are those of
--- their one process (pid is 0 for a worker that does not run), and `chdir` is empty.
---@return uwsgi.Worker[]
function uwsgi.workers() end

--- How many requests all workers have served since the server started.
---@return integer
function uwsgi.total_requests() end

--- Bytes of memory: what lies in RAM, and the address space. Differs from uWSGI: both are of the whole server, whose
--- threads the workers are.
---@return integer
---@return integer
function uwsgi.mem() end

--- The time, in microseconds since the epoch.
---@return integer
function uwsgi.micros() end

--- Asks the master for a graceful reload: apps are loaded anew, requests that run are finished first. Returns at once.
---@return true
function uwsgi.reload() end

--- Asks the master to stop the server; requests that run are finished first. Returns at once.
---@return true
function uwsgi.stop() end

--- Names this worker's thread for `top -H` and `ps -L` (/proc/PID/task/TID/comm). Differs from uWSGI: it is the name of
--- the thread, not the command line of a process. Nothing happens where the system has no such names.
---@param name string The name; the kernel keeps 15 bytes of it.
---@return nil
function uwsgi.setprocname(name) end

--- Gives what runs here a deadline of its own, beside `--harakiri`: when it is still at work then, it is stopped where its
--- language can do that, else its worker is ended and started anew. A deadline set while a request is served ends with the request; of several requests at work in one worker each has its own,
--- and the earliest counts.
---@param seconds integer From now on; 0: no deadline any more.
---@return nil
function uwsgi.set_user_harakiri(seconds) end

--- The value of a metric; 0 for one that is not there, and for all of them without `--enable-metrics` or `--metric`.
--- Those that the server keeps are brought up to date every second.
---@param name string The metric's name, `worker.1.requests`, or its OID, `3.1.1`.
---@return integer
function uwsgi.metric_get(name) end

--- Gives a metric of `--metric` a value. Not_defined, with nothing changed, for a metric that is not there or that the server keeps itself.
---@param name string The metric's name, `worker.1.requests`, or its OID, `3.1.1`.
---@param value? integer The new value.
---@return true|nil
function uwsgi.metric_set(name, value) end

--- Adds to a metric of `--metric`; no increment is lost, whoever else counts at the same time. Not_defined, with nothing changed, for a metric that is not there or that the server keeps itself.
---@param name string The metric's name, `worker.1.requests`, or its OID, `3.1.1`.
---@param value? integer How much more.
---@return true|nil
function uwsgi.metric_inc(name, value) end

--- Takes from a metric of `--metric`. Not_defined, with nothing changed, for a metric that is not there or that the server keeps itself.
---@param name string The metric's name, `worker.1.requests`, or its OID, `3.1.1`.
---@param value? integer How much less.
---@return true|nil
function uwsgi.metric_dec(name, value) end

--- Multiplies a metric of `--metric`. Not_defined, with nothing changed, for a metric that is not there or that the server keeps itself.
---@param name string The metric's name, `worker.1.requests`, or its OID, `3.1.1`.
---@param value? integer The factor.
---@return true|nil
function uwsgi.metric_mul(name, value) end

--- Divides a metric of `--metric`, rounding toward zero. Not_defined, with nothing changed, for a metric that is not there or that the server keeps itself. So too for a divisor of 0.
---@param name string The metric's name, `worker.1.requests`, or its OID, `3.1.1`.
---@param value? integer The divisor.
---@return true|nil
function uwsgi.metric_div(name, value) end

--- Raises a metric of `--metric` to a value that it is below. Not_defined, with nothing changed, for a metric that is not there or that the server keeps itself.
---@param name string The metric's name, `worker.1.requests`, or its OID, `3.1.1`.
---@param value? integer The least the metric is to be.
---@return true|nil
function uwsgi.metric_set_max(name, value) end

--- Lowers a metric of `--metric` to a value that it is above. Not_defined, with nothing changed, for a metric that is not there or that the server keeps itself.
---@param name string The metric's name, `worker.1.requests`, or its OID, `3.1.1`.
---@param value? integer The most the metric is to be.
---@return true|nil
function uwsgi.metric_set_min(name, value) end

--- How many slots the queue has (`--queue`); 0 without a queue.
---@type integer
uwsgi.queue_size = nil

--- Puts a message into the next slot. The queue is never full: a message that nobody has taken is overwritten in its turn.
--- Returns not_defined for a message that is empty or too long.
---@param message string The message: at least one byte, at most `--queue-blocksize` less 16.
---@return true|nil
function uwsgi.queue_push(message) end

--- Takes the message pushed last: the queue as a stack. Not_defined when there is none. Differs from uWSGI: an empty queue
--- stays as it is.
---@return string|nil
function uwsgi.queue_pop() end

--- Takes the message at the pull slot and moves that on, so messages come in the order they were pushed. Not_defined when
--- there is none. As in uWSGI, a push that overwrites does not move the pull slot.
---@return string|nil
function uwsgi.queue_pull() end

--- What is in a slot, which keeps it. Not_defined for an empty slot, or one that is not there.
---@param index integer Which slot, from 0.
---@return string|nil
function uwsgi.queue_get(index) end

--- Puts a message into a slot of one's choice; pushes and pulls go on where they were. Not_defined for a slot that is not
--- there and for a message that is empty or too long. Differs from uWSGI: too long is the same as for `queue_push`.
---@param index integer Which slot, from 0.
---@param message string The message: at least one byte, at most `--queue-blocksize` less 16.
---@return true|nil
function uwsgi.queue_set(index, message) end

--- The messages pushed last, the newest first; they stay. Differs from uWSGI: it is a list for one message too, and slots
--- whose message was taken are passed over.
---@param count? integer How many slots to look at.
---@return string[]
function uwsgi.queue_last(count) end

--- The slot that the next push fills.
---@return integer
function uwsgi.queue_slot() end

--- The slot that the next pull empties.
---@return integer
function uwsgi.queue_pull_slot() end

--- Reads bytes of an area.
---@param id integer Which area, from 0 in the order of the `--sharedarea` options.
---@param position integer Byte of the area, from 0.
---@param length? integer How many bytes; 0: to the end.
---@return string
function uwsgi.sharedarea_read(id, position, length) end

--- Writes bytes into an area: all of them, or none when they do not fit.
---@param id integer Which area, from 0 in the order of the `--sharedarea` options.
---@param position integer Byte of the area, from 0.
---@param data string The bytes.
---@return nil
function uwsgi.sharedarea_write(id, position, data) end

--- Reads a signed number of 8 bits, in the machine's byte order.
---@param id integer Which area, from 0 in the order of the `--sharedarea` options.
---@param position integer Byte of the area, from 0.
---@return integer
function uwsgi.sharedarea_read8(id, position) end
uwsgi.sharedarea_readbyte = uwsgi.sharedarea_read8

--- Reads a signed number of 16 bits, in the machine's byte order.
---@param id integer Which area, from 0 in the order of the `--sharedarea` options.
---@param position integer Byte of the area, from 0.
---@return integer
function uwsgi.sharedarea_read16(id, position) end

--- Reads a signed number of 32 bits, in the machine's byte order.
---@param id integer Which area, from 0 in the order of the `--sharedarea` options.
---@param position integer Byte of the area, from 0.
---@return integer
function uwsgi.sharedarea_read32(id, position) end

--- Reads a signed number of 64 bits, in the machine's byte order.
---@param id integer Which area, from 0 in the order of the `--sharedarea` options.
---@param position integer Byte of the area, from 0.
---@return integer
function uwsgi.sharedarea_read64(id, position) end
uwsgi.sharedarea_readlong = uwsgi.sharedarea_read64

--- Writes a number of 8 bits, in the machine's byte order.
---@param id integer Which area, from 0 in the order of the `--sharedarea` options.
---@param position integer Byte of the area, from 0.
---@param value integer A number of 8 bits.
---@return nil
function uwsgi.sharedarea_write8(id, position, value) end
uwsgi.sharedarea_writebyte = uwsgi.sharedarea_write8

--- Writes a number of 16 bits, in the machine's byte order.
---@param id integer Which area, from 0 in the order of the `--sharedarea` options.
---@param position integer Byte of the area, from 0.
---@param value integer A number of 16 bits.
---@return nil
function uwsgi.sharedarea_write16(id, position, value) end

--- Writes a number of 32 bits, in the machine's byte order.
---@param id integer Which area, from 0 in the order of the `--sharedarea` options.
---@param position integer Byte of the area, from 0.
---@param value integer A number of 32 bits.
---@return nil
function uwsgi.sharedarea_write32(id, position, value) end

--- Writes a number of 64 bits, in the machine's byte order.
---@param id integer Which area, from 0 in the order of the `--sharedarea` options.
---@param position integer Byte of the area, from 0.
---@param value integer A signed number of 64 bits.
---@return nil
function uwsgi.sharedarea_write64(id, position, value) end
uwsgi.sharedarea_writelong = uwsgi.sharedarea_write64

--- Adds to a number of 32 bits; whatever others do at the same time, no step is lost.
---@param id integer Which area, from 0 in the order of the `--sharedarea` options.
---@param position integer Byte of the area, from 0.
---@param value? integer By how much.
---@return nil
function uwsgi.sharedarea_inc32(id, position, value) end

--- Adds to a number of 64 bits; whatever others do at the same time, no step is lost.
---@param id integer Which area, from 0 in the order of the `--sharedarea` options.
---@param position integer Byte of the area, from 0.
---@param value? integer By how much.
---@return nil
function uwsgi.sharedarea_inc64(id, position, value) end
uwsgi.sharedarea_inclong = uwsgi.sharedarea_inc64

--- Subtracts from a number of 32 bits; whatever others do at the same time, no step is lost.
---@param id integer Which area, from 0 in the order of the `--sharedarea` options.
---@param position integer Byte of the area, from 0.
---@param value? integer By how much.
---@return nil
function uwsgi.sharedarea_dec32(id, position, value) end

--- Subtracts from a number of 64 bits; whatever others do at the same time, no step is lost.
---@param id integer Which area, from 0 in the order of the `--sharedarea` options.
---@param position integer Byte of the area, from 0.
---@param value? integer By how much.
---@return nil
function uwsgi.sharedarea_dec64(id, position, value) end

--- Locks an area to read: nobody changes it until `sharedarea_unlock`, and others may read it. May be taken several
--- times, to be unlocked as often. It is freed when its holder is ended.
---@param id integer Which area, from 0 in the order of the `--sharedarea` options.
---@return nil
function uwsgi.sharedarea_rlock(id) end

--- Locks an area to write: until `sharedarea_unlock` nobody else reads or changes it. Differs from uWSGI: the holder's
--- own functions go on working, and locking twice is an error; there both hang. It is freed when its holder is ended.
---@param id integer Which area, from 0 in the order of the `--sharedarea` options.
---@return nil
function uwsgi.sharedarea_wlock(id) end

--- Gives back what this worker has locked of an area. Nothing happens when that is nothing.
---@param id integer Which area, from 0 in the order of the `--sharedarea` options.
---@return nil
function uwsgi.sharedarea_unlock(id) end

return uwsgi
