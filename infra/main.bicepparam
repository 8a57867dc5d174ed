using 'main.bicep'

param namePrefix = 'bowline'
param publicBaseUrl = ''
param allowedReturnOrigins = ''
param requireConnectPage = true
param bootstrapAdminKeySha256 = ''
