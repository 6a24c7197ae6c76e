import { once } from 'node:events'
import { createServer } from 'node:http'
import { createPeer } from '@p2pl/core'
import { helia } from '@p2pl/helia'
import { compose } from '@p2pl/layers'
import { metrics } from '@p2pl/layers/metrics'
import { formatMetrics, prometheusSink } from '@p2pl/layers/prometheus'

const setting = (name, fallback) => process.env[`HUB_${name}`] ?? fallback
const sink = prometheusSink()
const engine = helia({
  dir: setting('DIR', './hub'),
  listen: setting('LISTEN', '/ip4/127.0.0.1/tcp/0/ws').split(','),
  profile: setting('PROFILE', 'closed'),
  psk: setting('PSK'),
  relay: true,
  dht: 'server'
})

let fault // why the engine is currently unavailable
const peer = await createPeer({
  backend: compose(engine, metrics(sink)),
  onEvent: (event) => {
    if (event.type === 'degraded') fault = event.error.message
    if (event.type === 'recovered') fault = undefined
    if (event.type === 'warning') console.error(event.message)
  }
})
const addresses = peer.network.self().flatMap((self) => self.addresses)
console.log(`bootstrap: ${addresses.join(' ')}`)

// Metrics and health, for this machine only.
const server = createServer(({ url }, response) => {
  if (url === '/metrics') response.end(formatMetrics(sink.metrics()))
  else if (url === '/health') response.writeHead(fault ? 503 : 200).end(fault ?? 'ok')
  else response.writeHead(404).end()
})
server.listen(setting('PORT', 0), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}/metrics`)
})

// From systemd or the container's runtime.
await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')])
server.close()
await peer.stop()
process.exit()
