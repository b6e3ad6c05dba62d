// The nginx configuration of a benchmark: one worker process, nothing logged, one server block per upstream, or per answer of
// nginx's own. Both sides of a comparison stand behind, or ask, the same nginx process, with the same settings.

export type NginxSite = UpstreamSite | AnswerSite

/** Answers every request by itself. */
export interface AnswerSite {
  readonly port: number
  readonly protocol: 'answer'
  /** Letters, digits and dots: nothing of what nginx replaces. */
  readonly answer: string
}

export interface UpstreamSite {
  /** Port on 127.0.0.1 that clients connect to. */
  readonly port: number
  /** Port on 127.0.0.1 of the server behind. */
  readonly upstreamPort: number
  /** `uwsgi`: uwsgi_pass, one connection per request, which is all that protocol has. `http`: keep-alive, HTTP/1.1. */
  readonly protocol: 'uwsgi' | 'http'
  /** The uwsgi packet's modifier1; not used over HTTP. */
  readonly modifier1: number
}

/** Connections to the server behind that nginx keeps open when idle; not fewer than the clients of a load run. */
const upstreamKeepAlive = 64

// What Debian's /etc/nginx/uwsgi_params passes on, which is the usual set.
const uwsgiParams = {
  QUERY_STRING: '$query_string',
  REQUEST_METHOD: '$request_method',
  CONTENT_TYPE: '$content_type',
  CONTENT_LENGTH: '$content_length',
  REQUEST_URI: '$request_uri',
  PATH_INFO: '$document_uri',
  DOCUMENT_ROOT: '$document_root',
  SERVER_PROTOCOL: '$server_protocol',
  REQUEST_SCHEME: '$scheme',
  HTTPS: '$https if_not_empty',
  REMOTE_ADDR: '$remote_addr',
  REMOTE_PORT: '$remote_port',
  SERVER_PORT: '$server_port',
  SERVER_NAME: '$server_name',
}

/** The text of nginx.conf. `directory` takes everything nginx writes; `user` is needed where nginx is started by root. */
export function nginxConfig(directory: string, sites: readonly NginxSite[], user?: string): string {
  return `${user === undefined ? '' : `user ${user} ${user};\n`}worker_processes 1;
daemon off;
pid ${directory}/nginx.pid;
error_log stderr warn;
events { worker_connections 4096; }
http {
  access_log off;
  server_tokens off;
  tcp_nodelay on;
  client_max_body_size 0;
  client_body_temp_path ${directory}/body;
  proxy_temp_path ${directory}/proxy;
  uwsgi_temp_path ${directory}/uwsgi;
  fastcgi_temp_path ${directory}/fastcgi;
  scgi_temp_path ${directory}/scgi;
  # wrk's connections live as long as the run, whatever the number of requests.
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
${sites.map(siteConfig).join('\n')}
}
`
}

function siteConfig(site: NginxSite): string {
  switch (site.protocol) {
    case 'uwsgi':
      return uwsgiSite(site)
    case 'http':
      return httpSite(site)
    case 'answer':
      return answerSite(site)
  }
}

function answerSite({ port, answer }: AnswerSite): string {
  if (!/^[\w.]*$/.test(answer)) throw new Error(`nginx would change the answer ${JSON.stringify(answer)}`)
  return `  server {
    listen 127.0.0.1:${port};
    location / {
      default_type text/plain;
      return 200 ${answer};
    }
  }`
}

function uwsgiSite(site: UpstreamSite): string {
  const params = Object.entries(uwsgiParams).map(([name, value]) => `      uwsgi_param ${name} ${value};`)
  return `  server {
    listen 127.0.0.1:${site.port};
    location / {
      uwsgi_pass 127.0.0.1:${site.upstreamPort};
      uwsgi_modifier1 ${site.modifier1};
${params.join('\n')}
    }
  }`
}

function httpSite(site: UpstreamSite): string {
  return `  upstream upstream_${site.upstreamPort} {
    server 127.0.0.1:${site.upstreamPort};
    keepalive ${upstreamKeepAlive};
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${site.port};
    location / {
      proxy_pass http://upstream_${site.upstreamPort};
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
    }
  }`
}
