// Option group: connections that guests open.
import type { Option } from '../option.ts'

export const connections = [
  {
    name: 'allow-connect',
    group: 'sockets',
    type: 'list',
    item: 'text',
    value: 'ADDRESS',
    help: 'Let applications connect to this address and to the others that are named, and nowhere else: host:port, host (any port), *:port (any host), [IPv6]:port, /path/of.sock, /directory/ (what lies below it), @name, * (anywhere), none (nowhere, alone). It counts for connect, async_connect, rpc, signal and the caches of other servers. Without this option applications connect anywhere, with sandbox, and in an embedding program, nowhere. Differs from uWSGI: there is no such option there.',
    effect: 'works',
  },
] as const satisfies readonly Option[]
