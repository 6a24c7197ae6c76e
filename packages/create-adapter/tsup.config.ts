import { preset } from '@p2pl/tooling-tsup'
const config: ReturnType<typeof preset> = preset(['src/index.ts'])

export default config
