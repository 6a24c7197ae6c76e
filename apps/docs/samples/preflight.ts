import { preflight } from '@p2pl/kubo'

for (const { name, status, message, fix } of await preflight({ url: 'http://127.0.0.1:5001' })) {
  console.log(`${name}: ${status}, ${message}. ${fix ?? ''}`)
}

// prints:
// daemon: …
