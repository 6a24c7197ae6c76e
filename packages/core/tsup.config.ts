import { preset } from '@p2pl/tooling-tsup'
const config: ReturnType<typeof preset> = preset(['src/index.ts', 'src/backend.ts', 'src/content.ts'])

export default config
