# A success of a virtual registry settles as quickly as others do, by the real clocks.
s/binding && binding->shared && plain_success_measured/binding \&\& plain_success_measured/
