import { browserPreset } from '@p2pl/tooling-tsup'
const config: ReturnType<typeof browserPreset> = browserPreset(['src/index.ts'])

export default config
