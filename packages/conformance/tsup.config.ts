import { preset } from '@p2pl/tooling-tsup'
const config: ReturnType<typeof preset> = preset(['src/index.ts', 'src/fake/index.ts', 'src/report/index.ts'])

export default config
