import { Cron } from 'croner';
import { z } from 'zod';
import { entraIdPattern } from './domain/caller.ts';
import { Secret } from './domain/secret.ts';

/** Where the data account is: by connection string, or by address with a managed identity. */
export type StorageSettings =
  | { readonly connectionString: Secret }
  | { readonly tableServiceUri: string; readonly managedIdentityClientId: string | undefined };

export interface Settings {
  readonly storage: StorageSettings;
  readonly keyVaultUrl: string;
  /** Overrides the vault's encryption keys. Empty: the vault is read. */
  readonly encryptionKeys: readonly Secret[];
  readonly encryptionKeySecretName: string;
  readonly publicBaseUrl: string;
  readonly allowedReturnOrigins: readonly string[];
  readonly requireConnectPage: boolean;
  readonly refreshSchedule: string;
  readonly sweepIntervalSeconds: number;
  readonly refreshWindowSeconds: number;
  readonly idleAfterSeconds: number;
  readonly credentialMinTtlSeconds: number;
  readonly credentialCacheSeconds: number;
  /** Calls of one caller for one organisation, in this process. 0: any number. */
  readonly rateLimitPerMinute: number;
  /** Authorizations begun for one organisation, in this process. 0: any number. */
  readonly authorizeLimitPerMinute: number;
  readonly auditCredentialReads: 'windowed' | 'every';
  readonly auditRetentionDays: number;
  readonly jobRetentionDays: number;
  readonly tablePrefix: string;
  readonly bootstrapAdminKeySha256: string | undefined;
  /** The tenants of Microsoft Entra whose access tokens are taken. Empty: none are. */
  readonly entraTenantIds: readonly string[];
  readonly entraAudiences: readonly string[];
  readonly entraAuthority: string;
  readonly entraOrgFromTenant: boolean;
  readonly allowInsecureLoopback: boolean;
}

/** Settings that do not hold together. Each problem names its setting, never its value. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`Faulty settings: ${problems.join('; ')}`);
    this.problems = problems;
  }
}

export const defaultRefreshSchedule = '0 */30 * * * *';

/** `last_used_at` is written once a day: a shorter time would take grants that are in use for idle. */
const leastIdleSeconds = 2 * 24 * 60 * 60;

const flag = z.enum(['true', 'false'], 'must be true or false').transform((text) => text === 'true');
const seconds = (least: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, 'must be a whole number of seconds')
    .transform(Number)
    .refine((value) => value >= least, `must be at least ${least}`);
const count = z
  .string()
  .regex(/^\d{1,9}$/, 'must be a whole number')
  .transform(Number);
const days = count.refine((value) => value >= 1, 'must be at least 1');
const origin = z.string().refine(isOrigin, 'must be an origin such as https://example.com, without a path');
const url = z.string().refine((text) => URL.canParse(text), 'must be a URL');
const tenantId = z
  .string()
  .transform((text) => text.toLowerCase())
  .refine((text) => entraIdPattern.test(text), 'must be ids of tenants (GUIDs)');
const list = (text: string) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');

const schema = z.object({
  OAuthStorage: z.string().optional(),
  AZURE_STORAGE_CONNECTION_STRING: z.string().optional(),
  OAuthStorage__tableServiceUri: url.optional(),
  OAuthStorage__queueServiceUri: url.optional(),
  OAuthStorage__credential: z.literal('managedidentity', 'must be managedidentity').optional(),
  OAuthStorage__clientId: z.string().optional(),
  AZURE_KEY_VAULT_URL: url,
  OAUTH_TOKEN_ENCRYPTION_KEY: z.string().default(''),
  ENCRYPTION_KEY_SECRET_NAME: z
    .string()
    .regex(/^[0-9A-Za-z-]{1,127}$/, 'must be a name of a vault secret')
    .default('oauth-token-encryption-key'),
  PUBLIC_BASE_URL: origin,
  ALLOWED_RETURN_ORIGINS: z.string().default('').transform(list).pipe(z.array(origin)),
  REQUIRE_CONNECT_PAGE: flag.default(false),
  REFRESH_SCHEDULE: z.string().default(defaultRefreshSchedule),
  REFRESH_WINDOW_SECONDS: seconds(0).default(14_400),
  IDLE_AFTER_SECONDS: seconds(leastIdleSeconds).default(604_800),
  CREDENTIAL_MIN_TTL_SECONDS: seconds(0).default(60),
  CREDENTIAL_CACHE_SECONDS: seconds(0).default(5),
  RATE_LIMIT_PER_MINUTE: count.default(6000),
  AUTHORIZE_LIMIT_PER_MINUTE: count.default(600),
  AUDIT_CREDENTIAL_READS: z.enum(['windowed', 'every'], 'must be windowed or every').default('windowed'),
  AUDIT_RETENTION_DAYS: days.default(400),
  JOB_RETENTION_DAYS: days.default(30),
  TABLE_PREFIX: z
    .string()
    .regex(/^[a-z][a-z0-9]{0,19}$/, 'must be 1 to 20 lower-case letters and digits, beginning with a letter')
    .optional(),
  BOOTSTRAP_ADMIN_KEY_SHA256: z
    .string()
    .regex(/^[0-9a-f]{64}$/i, 'must be a SHA-256 in hex')
    .transform((text) => text.toLowerCase())
    .optional(),
  ENTRA_TENANT_ID: z.string().default('').transform(list).pipe(z.array(tenantId)),
  ENTRA_AUDIENCE: z.string().default('').transform(list),
  ENTRA_AUTHORITY: origin.default('https://login.microsoftonline.com'),
  ENTRA_ORG_FROM_TENANT: flag.default(false),
  ALLOW_INSECURE_LOOPBACK: flag.default(false),
});

/** The names of the function app's settings, as `local.settings.example.json` lists them. */
export const settingNames: readonly string[] = Object.keys(schema.shape);

/** The names of the embedded host's own settings, which the function app does not read. */
export const hostSettingNames = ['BOWLINE_PORT', 'BOWLINE_HOME', 'BOWLINE_EMBEDDED', 'BOWLINE_MOCK_PROVIDERS'] as const;

/** Reads settings from an environment into a frozen object. Throws `SettingsError` with every problem at once. */
export function loadSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  const given = Object.fromEntries(settingNames.map((name) => [name, environment[name]?.trim() || undefined]));
  const parsed = schema.safeParse(given);
  const intervalSeconds = sweepIntervalSeconds(given.REFRESH_SCHEDULE ?? defaultRefreshSchedule);
  const problems = [
    ...(parsed.error?.issues.map(describeIssue) ?? []),
    ...relationProblems(given),
    ...processProblems(environment),
  ];
  if (intervalSeconds === undefined) problems.push('REFRESH_SCHEDULE must be an NCRONTAB expression of six fields');
  if (problems.length > 0 || !parsed.success || intervalSeconds === undefined) throw new SettingsError(problems);
  return Object.freeze(toSettings(parsed.data, intervalSeconds));
}

/** The settings of this process. Throws `SettingsError`. */
export function settingsOfProcess(): Settings {
  return loadSettings(process.env);
}

/** What the registration of functions needs even when other settings are faulty. */
export function registrationSettings(): { readonly refreshSchedule: string; readonly queueName: string } {
  const schedule = process.env.REFRESH_SCHEDULE?.trim();
  const prefix = process.env.TABLE_PREFIX?.trim() ?? '';
  return {
    refreshSchedule: schedule && sweepIntervalSeconds(schedule) !== undefined ? schedule : defaultRefreshSchedule,
    queueName: refreshQueueName(schema.shape.TABLE_PREFIX.safeParse(prefix || undefined).success ? prefix : ''),
  };
}

export function refreshQueueName(tablePrefix: string): string {
  return `${tablePrefix}oauth-refresh`;
}

function toSettings(raw: z.output<typeof schema>, sweepSeconds: number): Settings {
  const connectionString = raw.OAuthStorage ?? raw.AZURE_STORAGE_CONNECTION_STRING;
  return {
    storage:
      connectionString !== undefined
        ? { connectionString: new Secret(connectionString) }
        : {
            tableServiceUri: raw.OAuthStorage__tableServiceUri ?? '',
            managedIdentityClientId: raw.OAuthStorage__clientId,
          },
    keyVaultUrl: raw.AZURE_KEY_VAULT_URL,
    encryptionKeys: list(raw.OAUTH_TOKEN_ENCRYPTION_KEY).map((key) => new Secret(key)),
    encryptionKeySecretName: raw.ENCRYPTION_KEY_SECRET_NAME,
    publicBaseUrl: new URL(raw.PUBLIC_BASE_URL).origin,
    allowedReturnOrigins: raw.ALLOWED_RETURN_ORIGINS.map((text) => new URL(text).origin),
    requireConnectPage: raw.REQUIRE_CONNECT_PAGE,
    refreshSchedule: raw.REFRESH_SCHEDULE,
    sweepIntervalSeconds: sweepSeconds,
    refreshWindowSeconds: raw.REFRESH_WINDOW_SECONDS,
    idleAfterSeconds: raw.IDLE_AFTER_SECONDS,
    credentialMinTtlSeconds: raw.CREDENTIAL_MIN_TTL_SECONDS,
    credentialCacheSeconds: raw.CREDENTIAL_CACHE_SECONDS,
    rateLimitPerMinute: raw.RATE_LIMIT_PER_MINUTE,
    authorizeLimitPerMinute: raw.AUTHORIZE_LIMIT_PER_MINUTE,
    auditCredentialReads: raw.AUDIT_CREDENTIAL_READS,
    auditRetentionDays: raw.AUDIT_RETENTION_DAYS,
    jobRetentionDays: raw.JOB_RETENTION_DAYS,
    tablePrefix: raw.TABLE_PREFIX ?? '',
    bootstrapAdminKeySha256: raw.BOOTSTRAP_ADMIN_KEY_SHA256,
    entraTenantIds: raw.ENTRA_TENANT_ID,
    entraAudiences: raw.ENTRA_AUDIENCE,
    entraAuthority: new URL(raw.ENTRA_AUTHORITY).origin,
    entraOrgFromTenant: raw.ENTRA_ORG_FROM_TENANT,
    allowInsecureLoopback: raw.ALLOW_INSECURE_LOOPBACK,
  };
}

/** What must not be reached, or reach us, in clear. */
const addresses = [
  'AZURE_KEY_VAULT_URL',
  'PUBLIC_BASE_URL',
  'OAuthStorage__tableServiceUri',
  'OAuthStorage__queueServiceUri',
  'ENTRA_AUTHORITY',
];

/** What nobody should set: Node reads the one, which would lay tokens open to anybody on the way. */
function processProblems(environment: Readonly<Record<string, string | undefined>>): string[] {
  const problems: string[] = [];
  if (environment.NODE_TLS_REJECT_UNAUTHORIZED?.trim() === '0') {
    problems.push('NODE_TLS_REJECT_UNAUTHORIZED must not be 0');
  }
  // The embedded host takes it away before the app looks: whoever finds it here hopes for stand-ins that are not there.
  if (!['', 'false'].includes(environment.BOWLINE_MOCK_PROVIDERS?.trim() ?? '')) {
    problems.push('BOWLINE_MOCK_PROVIDERS works in the embedded host only (npm start)');
  }
  return problems;
}

/** Problems between settings, each of which is well formed. */
function relationProblems(given: Readonly<Record<string, string | undefined>>): string[] {
  const problems: string[] = [];
  if (!given.OAuthStorage && !given.AZURE_STORAGE_CONNECTION_STRING && !given.OAuthStorage__tableServiceUri) {
    problems.push('OAuthStorage is missing (or OAuthStorage__tableServiceUri for a managed identity)');
  }
  if (given.OAuthStorage__tableServiceUri && !given.OAuthStorage && !given.OAuthStorage__queueServiceUri) {
    problems.push('OAuthStorage__queueServiceUri is missing beside OAuthStorage__tableServiceUri');
  }
  if (given.ENTRA_TENANT_ID || given.ENTRA_AUDIENCE || given.ENTRA_ORG_FROM_TENANT === 'true') {
    if (!given.ENTRA_TENANT_ID) problems.push('ENTRA_TENANT_ID is missing for Entra tokens');
    if (!given.ENTRA_AUDIENCE) problems.push('ENTRA_AUDIENCE is missing for Entra tokens');
  }
  const isLoopbackAllowed = given.ALLOW_INSECURE_LOOPBACK === 'true';
  for (const name of addresses) {
    const text = given[name];
    if (text === undefined || !URL.canParse(text)) continue;
    if (!isSafe(new URL(text), isLoopbackAllowed)) problems.push(`${name} must begin with https://`);
  }
  return problems;
}

function isSafe(address: URL, isLoopbackAllowed: boolean): boolean {
  if (address.protocol === 'https:') return true;
  return (
    isLoopbackAllowed && address.protocol === 'http:' && ['127.0.0.1', 'localhost', '[::1]'].includes(address.hostname)
  );
}

function isOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const parsed = new URL(text);
  return /^https?:$/.test(parsed.protocol) && parsed.username === '' && `${parsed.origin}/` === parsed.href;
}

const hourMs = 3_600_000;
/** A Monday. A week from here on has every wait of a schedule that goes by hours and days of the week. */
const firstHour = Date.UTC(2026, 0, 5);
const hoursOfWeek = 7 * 24;
/** Enough for the waits of a schedule that goes by days of the month. */
const runsLookedAt = 50;

/** The longest wait between two runs that follow each other, or undefined when the schedule is not one. */
function sweepIntervalSeconds(schedule: string): number | undefined {
  // Looking costs a cold start some 40 ms, and most deployments keep the default.
  if (schedule === defaultRefreshSchedule) return 1800;
  try {
    if (schedule.split(/\s+/).length !== 6) return undefined;
    const cron = new Cron(schedule, { timezone: 'UTC', domAndDow: true });
    const runs = cron.nextRuns(runsLookedAt, new Date(firstHour)).map((run) => run.getTime());
    const waitsMs = runs.slice(1).map((run, index) => run - (runs[index] ?? run));
    const longestMs = Math.max(...waitsMs, longestWaitOfWeekMs(cron));
    return Number.isFinite(longestMs) ? longestMs / 1000 : undefined;
  } catch {
    return undefined;
  }
}

/** Looks at each hour for the runs around it: nights and weekends are far beyond the first runs of a busy schedule. */
function longestWaitOfWeekMs(cron: Cron): number {
  let longestMs = Number.NEGATIVE_INFINITY;
  for (let hour = 0; hour < hoursOfWeek; hour += 1) {
    const at = firstHour + hour * hourMs;
    const next = cron.nextRun(new Date(at));
    if (next === null) return longestMs;
    if (next.getTime() - at + hourMs <= longestMs) continue;
    const [previous] = cron.previousRuns(1, next);
    if (previous !== undefined) longestMs = Math.max(longestMs, next.getTime() - previous.getTime());
  }
  return longestMs;
}

function describeIssue(issue: z.core.$ZodIssue): string {
  const name = String(issue.path[0]);
  return issue.code === 'invalid_type' ? `${name} is missing` : `${name} ${issue.message}`;
}
