/**
 * Node's flags for a host. V8 lets its young generation grow by a hundred megabytes under a load of many small objects,
 * which a sweep is (docs/scaling.md). The function app has the same as NODE_OPTIONS.
 */
export const hostFlags = ['--max-semi-space-size=8'];
