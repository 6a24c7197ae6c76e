import { preset } from '@p2pl/tooling-tsup'
const config: ReturnType<typeof preset> = preset(['src/index.ts'], {
  bundle: {
    omit: [],
    // One stack of libp2p in a few files: 500 modules take twice the processor time to start, and 20 MB more.
    carry: [/^@(?:libp2p|multiformats|noble)\//, /^(?:libp2p|datastore-core|interface-datastore)(?:\/|$)/]
  }
})

export default config
