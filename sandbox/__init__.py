"""Everything on one machine: the real Pulumi engine, SDK and policy pack against an emulated AWS.

Only AWS is emulated: the cloud itself (`cloud`, moto) and the provider plugin in front of it (`provider`,
with one entry per resource type in `resources`). `engine` gets the engine, `run` puts the parts together
for one command, `confirm` and `schedules` do what recipients and the clock do at AWS, `demo` is `make demo`.
"""
