import { browserPreset } from '@p2pl/tooling-tsup'
// With the patch of it: a page that gives a dial up would wait for the browser to give it up, too.
const config: ReturnType<typeof browserPreset> = browserPreset(['src/index.ts'], [/^@libp2p\/websockets$/])

export default config
