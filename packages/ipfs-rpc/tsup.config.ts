import { preset } from '@p2pl/tooling-tsup'
const config: ReturnType<typeof preset> = preset(['src/index.ts'], {
  bundle: {
    // A codec of kubo-rpc-client for calls that the backend does not make, and the only user of a second CBOR.
    omit: ['dag-jose']
  }
})

export default config
