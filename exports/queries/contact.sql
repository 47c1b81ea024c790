select
    count(*) filter (where lost_contact is not null) as judged_count,
    count(*) filter (where lost_contact = 'ours') as ours_count,
    count(*) filter (where lost_contact = 'theirs') as theirs_count,
    count(*) filter (where lost_contact = 'both') as both_count,
    sum(arr) filter (where lost_contact in ('ours', 'theirs', 'both')) as lost_arr,
    count(*) filter (where next_contact_is_renewal) as renewal_next_count,
    count(next_contact_is_renewal) as renewal_judged_count
from customer_360
