// The tracer's hooks as a general plugin: without a request hook, and so without a modifier1.
import { tracer } from './tracer.mjs'

export default tracer('general', undefined)
